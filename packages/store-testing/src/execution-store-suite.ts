import type { ExecutionStore } from '@saltcod/store-core'
import { EXECUTION_STORE_FIELDS } from '@saltcod/store-core/backend'
import { deletionCases } from './execution-store/deletion.ts'
import { assertSoundExecutionStore, EXECUTION_ACTOR } from './execution-store/execution-case.ts'
import { foldCases } from './execution-store/fold.ts'
import { lifecycleCases } from './execution-store/lifecycle.ts'
import { listingCases } from './execution-store/listing.ts'
import { executionMistakeCases } from './execution-store/mistake.ts'
import { noteCases } from './execution-store/note.ts'
import { retentionCases } from './execution-store/retention.ts'
import { durableStoreCases } from './store/durable-store-cases.ts'
import { runStoreSuite, type StoreCases, type StoreSuiteOptions } from './store/fixture.ts'
import { unknownFieldCases } from './store/unknown-field-cases.ts'

const CONCERNS: StoreCases<ExecutionStore> = {
  lifecycle: lifecycleCases,
  listing: listingCases,
  deletion: deletionCases,
  retention: retentionCases,
  fold: foldCases,
  notes: noteCases,
  'execution mistakes': executionMistakeCases,
  'unknown keys': unknownFieldCases(EXECUTION_STORE_FIELDS),
  ...durableStoreCases(EXECUTION_ACTOR),
}

/** Registers the tests that every execution store must pass; after each of them its `check()` must be clean. */
export function executionStoreSuite(options: StoreSuiteOptions<ExecutionStore>): void {
  runStoreSuite('execution store', CONCERNS, assertSoundExecutionStore, options)
}
