import {
  type FinishedJob,
  isStoreError,
  JOB_MACHINE,
  type JobState,
  type JobStore,
  type OutboxMessage,
  type RecordSize,
} from '@saltcod/store-core'
import { checkFields, type Fields } from '@saltcod/store-core/backend'
import type { ArchiveWriter } from '../archive/archive.ts'
import { type ArchivedJob, readArchivedJob } from '../archive/archived-job.ts'
import { Budget } from './budget.ts'
import { type ClockStep, findClockStep } from './clock-step.ts'
import { PACE_FIELDS, Pace, type PaceOptions } from './pace.ts'
import { checkRules, limitsFor, type RetentionRule } from './rule.ts'
import {
  type Due,
  isFatal,
  NOTHING_DONE,
  type Refusal,
  type Removal,
  Sweep,
  type SweepReport,
  type Walk,
} from './sweep.ts'
import {
  DEFAULT_EVALUATION_AGE_MS,
  DEFAULT_FEED_RULE,
  type FeedRule,
  reclaimAll,
  trimEvaluations,
  trimFeed,
} from './upkeep.ts'

/** A state in which a job ends. */
export type FinishedJobState = 'Completed' | 'Failed' | 'Stopped'

/** Limits for what is kept of the jobs that ended. */
export type JobRetentionRule = RetentionRule<FinishedJobState>

/** Options of both kinds of retention. */
export interface CommonRetentionOptions extends PaceOptions {
  /** Removes nothing, and reports what would go. Default false. */
  readonly dryRun?: boolean
  /** Records looked at in one go, 1 to 1,000. Default 100. */
  readonly batchRecords?: number
  /** Trims the change feed; `null` leaves it alone. Default: {@link DEFAULT_FEED_RULE}. */
  readonly feed?: FeedRule | null
  /** Says that the clock is right although it is more than a day from the store's newest change. Default false. */
  readonly clockConfirmed?: boolean
  /** The store's clock, in milliseconds since 1970. Default: the machine's. */
  readonly clock?: () => number
  /** Called after each batch with the sums so far. */
  readonly onProgress?: (report: SweepReport) => void
}

/** The fields of {@link CommonRetentionOptions}. */
export const COMMON_FIELDS: Fields<CommonRetentionOptions> = {
  ...PACE_FIELDS,
  dryRun: true,
  batchRecords: true,
  feed: { olderThanMs: true, maxBytes: true },
  clockConfirmed: true,
  clock: true,
  onProgress: true,
}

/** Options of {@link applyRetention}. */
export interface RetentionOptions extends CommonRetentionOptions {
  /** Takes each job before it is removed. */
  readonly archive?: ArchiveWriter
  /** Returns the messages that are sent with the removal of a job, asked for just before. */
  readonly farewells?: (jobId: string) => Promise<readonly OutboxMessage[]>
  /**
   * Removes evaluations that ended so long ago; `null` leaves them alone. Default: {@link DEFAULT_EVALUATION_AGE_MS}.
   */
  readonly evaluationsOlderThanMs?: number | null
}

/** What {@link applyRetention} did, or in a dry run would do. */
export interface RetentionReport extends SweepReport {
  readonly dryRun: boolean
  /** Set where nothing was done because the clock cannot be trusted. */
  readonly suspended: ClockStep | null
  readonly trimmedChanges: number
  readonly trimmedEvaluations: number
}

/** What retention needs of a job store. */
export type RetentionJobStore = Pick<
  JobStore,
  | 'info'
  | 'counts'
  | 'listFinishedJobs'
  | 'measureJob'
  | 'deleteJob'
  | 'reclaim'
  | 'trimFeed'
  | 'trimEvaluations'
  | 'listJobVersions'
  | 'listExecutions'
  | 'listEvaluations'
  | 'listHistory'
>

const OPTION_FIELDS: Fields<RetentionOptions> = {
  ...COMMON_FIELDS,
  archive: true,
  farewells: true,
  evaluationsOlderThanMs: true,
}

const FINISHED_STATES: readonly JobState[] = [...JOB_MACHINE.terminal]

/**
 * Removes the jobs that any of the rules lets go, oldest first, with everything that belongs to them. Never touches a
 * job that has not ended, is held, or has executions that have not ended. Where the clock is more than a day from the
 * store's newest change, nothing is done until the caller confirms it. Resolves also when it was aborted (see
 * `complete`); rejects with a `TypeError` for bad rules, and where the store is closed, full or has failed, or the
 * archive takes nothing.
 */
export async function applyRetention(
  store: RetentionJobStore,
  rules: readonly JobRetentionRule[],
  options: RetentionOptions = {},
): Promise<RetentionReport> {
  checkFields('applyRetention', options, OPTION_FIELDS)
  checkRules(rules, FINISHED_STATES)
  const { dryRun = false, feed = DEFAULT_FEED_RULE, clock = Date.now } = options
  const { evaluationsOlderThanMs = DEFAULT_EVALUATION_AGE_MS } = options
  const pace = new Pace(options)
  const nowMs = clock()
  const suspended = options.clockConfirmed === true ? null : await findClockStep(store, nowMs)
  const idle = { dryRun, suspended, trimmedChanges: 0, trimmedEvaluations: 0 }
  if (suspended !== null) return { ...NOTHING_DONE, ...idle, complete: false }

  if (!dryRun) await reclaimAll(store, pace)
  const sweep = new Sweep<FinishedJob>(
    {
      inspect: (job) => inspect(store, job),
      remove: (due) => remove(store, due, options, pace),
    },
    pace,
    { dryRun, onProgress: options.onProgress ?? (() => undefined) },
  )
  for (const walk of await walksOf(store, rules, nowMs, options.batchRecords ?? 100)) await sweep.along(walk)
  if (dryRun) return { ...sweep.report, ...idle }
  const trimmedEvaluations =
    evaluationsOlderThanMs === null ? 0 : await trimEvaluations(store, evaluationsOlderThanMs, pace)
  const trimmedChanges = feed === null ? 0 : await trimFeed(store, feed, pace)
  return { ...sweep.report, ...idle, trimmedChanges, trimmedEvaluations }
}

async function walksOf(
  store: RetentionJobStore,
  rules: readonly JobRetentionRule[],
  nowMs: number,
  limit: number,
): Promise<Walk<FinishedJob>[]> {
  const walks: Walk<FinishedJob>[] = []
  for (const count of await store.counts({ kind: 'job' })) {
    if (!FINISHED_STATES.includes(count.state as JobState)) continue
    const limits = limitsFor(rules, count.namespace, count.state)
    if (limits === null) continue
    const budget = new Budget(limits, count, nowMs)
    const query = { namespace: count.namespace, state: count.state as FinishedJobState, limit }
    walks.push({
      page: (cursor) => store.listFinishedJobs({ ...query, cursor }),
      budgetOf: () => budget,
      budgets: [budget],
    })
  }
  return walks
}

async function inspect(store: RetentionJobStore, job: FinishedJob): Promise<RecordSize | Refusal | null> {
  if (job.hold !== null) return 'held'
  const size = await store.measureJob(job.id)
  return size !== null && size.unfinishedExecutions > 0 ? 'unfinished' : size
}

/** Archives first: whatever happens in between, a job is in the store, in the archive, or in both. */
async function remove(
  store: RetentionJobStore,
  due: readonly Due<FinishedJob>[],
  { archive, farewells }: Pick<RetentionOptions, 'archive' | 'farewells'>,
  pace: Pace,
): Promise<Removal[]> {
  const copies: (ArchivedJob | Error | undefined)[] = []
  if (archive !== undefined) {
    for (const { item } of due) copies.push(await readArchivedJob(store, item.id).catch(toError))
    await archive.append(copies.flatMap((copy) => (copy === undefined || copy instanceof Error ? [] : copy)))
  }
  const removals = await Promise.all(
    due.map(async ({ item }, index): Promise<Removal> => {
      const copy = copies[index]
      if (copy instanceof Error) return isGone(copy) ? 'changed' : copy
      return await removeOne(store, item, copy?.history.at(-1)?.sequence, farewells)
    }),
  )
  await reclaimAll(store, pace)
  return removals
}

async function removeOne(
  store: RetentionJobStore,
  { id, revision }: FinishedJob,
  historySequence: number | undefined,
  farewells: RetentionOptions['farewells'],
): Promise<Removal> {
  try {
    const outbox = await farewells?.(id)
    await store.deleteJob({
      jobId: id,
      ...(outbox === undefined ? {} : { outbox }),
      expectedRevision: revision,
      ...(historySequence === undefined ? {} : { expectedHistorySequence: historySequence }),
    })
    return 'removed'
  } catch (error) {
    if (isFatal(error)) throw error
    if (isStoreError(error, 'JOB_HELD')) return 'held'
    return isGone(error) ? 'changed' : toError(error)
  }
}

function isGone(error: unknown): boolean {
  return isStoreError(error, 'JOB_NOT_FOUND', 'REVISION_CONFLICT', 'JOB_NOT_TERMINAL')
}

function toError(error: unknown): Error {
  if (isFatal(error)) throw error
  return error instanceof Error ? error : new Error(String(error))
}
