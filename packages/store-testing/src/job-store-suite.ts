import type { JobStore } from '@saltcod/store-core'
import { JOB_STORE_FIELDS } from '@saltcod/store-core/backend'
import { clockCases } from './job-store/clock.ts'
import { deletionCases } from './job-store/deletion.ts'
import { endReasonCases } from './job-store/end-reason.ts'
import { evaluationCases } from './job-store/evaluation.ts'
import { executionCases } from './job-store/execution.ts'
import { foldCases } from './job-store/fold.ts'
import { historyCases } from './job-store/history.ts'
import { hostileCases } from './job-store/hostile.ts'
import { importCases } from './job-store/import.ts'
import { assertSoundJobStore, JOB_ACTOR } from './job-store/job-case.ts'
import { jobJsonCases } from './job-store/json.ts'
import { leaseCases } from './job-store/lease.ts'
import { listingCases } from './job-store/listing.ts'
import { lookupCases } from './job-store/lookup.ts'
import { jobMistakeCases } from './job-store/mistake.ts'
import { nextEvaluationCases } from './job-store/next-evaluations.ts'
import { nodeCases } from './job-store/node.ts'
import { pagingCases } from './job-store/paging.ts'
import { planCases } from './job-store/plan.ts'
import { reportCases } from './job-store/report.ts'
import { retentionCases } from './job-store/retention.ts'
import { reviseCases } from './job-store/revise.ts'
import { strandedCases } from './job-store/stranded.ts'
import { requestIdCases, submitCases, submitKeyCases } from './job-store/submit.ts'
import { transitionCases } from './job-store/transition.ts'
import { durableStoreCases } from './store/durable-store-cases.ts'
import { runStoreSuite, type StoreCases, type StoreSuiteOptions } from './store/fixture.ts'
import { unknownFieldCases } from './store/unknown-field-cases.ts'

const CONCERNS: StoreCases<JobStore> = {
  submit: submitCases,
  'submit key': submitKeyCases,
  'request id': requestIdCases,
  revise: reviseCases,
  transition: transitionCases,
  lookup: lookupCases,
  listing: listingCases,
  paging: pagingCases,
  executions: executionCases,
  reports: reportCases,
  'reasons of ends': endReasonCases,
  evaluations: evaluationCases,
  'next evaluations': nextEvaluationCases,
  leases: leaseCases,
  'a clock that is set': clockCases,
  'stranded jobs': strandedCases,
  plans: planCases,
  history: historyCases,
  nodes: nodeCases,
  deletion: deletionCases,
  retention: retentionCases,
  fold: foldCases,
  import: importCases,
  hostile: hostileCases,
  'job mistakes': jobMistakeCases,
  'job values': jobJsonCases,
  'unknown keys': unknownFieldCases(JOB_STORE_FIELDS),
  ...durableStoreCases(JOB_ACTOR),
}

/** Registers the tests that every job store must pass; after each of them its `check()` must be clean. */
export function jobStoreSuite(options: StoreSuiteOptions<JobStore>): void {
  runStoreSuite('job store', CONCERNS, assertSoundJobStore, options)
}
