import { JOB_MIGRATIONS } from '../jobs/job-migrations.ts'
import type { KvStore } from '../kv/contract.ts'
import { checkFields, type Fields } from '../kv/fields.ts'
import { migrateMade } from '../migrations/migrations.ts'
import type { StateCount } from '../model/store-info.ts'
import { readCounters } from '../rows/counters.ts'
import type { StoreKind } from '../rows/meta.ts'
import { rebuildExecutions } from './rebuild-executions.ts'
import { rebuildFolded } from './rebuild-folded.ts'
import { rebuildJobs } from './rebuild-jobs.ts'
import { type OnDrop, RebuildRun } from './rebuild-run.ts'
import { rebuildMeta, rebuildTotals } from './rebuild-shared.ts'

/** Options of {@link rebuildStore}. */
export interface RebuildOptions {
  readonly kind: StoreKind
  readonly nowMs: number
  /** Gets each row that has no place in a sound store. */
  readonly onDrop: OnDrop
}

const REBUILD_FIELDS: Fields<RebuildOptions> = { kind: true, nowMs: true, onDrop: true }

/** The tables that {@link rebuildStore} fills; they must be empty when it begins. */
export const REBUILT_TABLES = ['index', 'counters'] as const

/**
 * Makes a sound store of one that holds records alone, folded or not: unfolds them, fills the tables `index` and
 * `counters`, corrects totals, drops what is damaged or belongs to nothing, and migrates what is of an earlier schema.
 * Resolves with what there was before it was migrated. Not atomic, so it is for a new file that nobody else uses.
 */
export async function rebuildStore(kv: KvStore, options: RebuildOptions): Promise<readonly StateCount[]> {
  checkFields('rebuildStore', options, REBUILD_FIELDS)
  const { kind, nowMs, onDrop } = options
  const run = new RebuildRun(kv, nowMs, onDrop)
  await rebuildMeta(run, kv, kind)
  await rebuildFolded(run, kind)
  if (kind === 'jobs') await rebuildJobs(run)
  else await rebuildExecutions(run)
  await rebuildTotals(run, kv)
  const { counts } = kv.read((snapshot) => readCounters(snapshot))
  await migrateMade(kv, kind === 'jobs' ? JOB_MIGRATIONS : [], nowMs)
  return counts
}
