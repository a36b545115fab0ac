import {
  COMPUTE_MACHINE,
  type ComputeState,
  type ExecutionStore,
  type FinishedExecution,
  isStoreError,
  type RecordSize,
} from '@saltcod/store-core'
import { checkFields, type Fields } from '@saltcod/store-core/backend'
import { Budget } from './budget.ts'
import { type ClockStep, findClockStep } from './clock-step.ts'
import { COMMON_FIELDS, type CommonRetentionOptions } from './job-retention.ts'
import { Pace } from './pace.ts'
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
import { DEFAULT_FEED_RULE, reclaimAll, trimFeed } from './upkeep.ts'

/** A state in which an execution ends on its compute node. */
export type FinishedExecutionState = 'Completed' | 'Failed' | 'Cancelled'

/** Limits for what is kept of the executions that ended. */
export type ExecutionRetentionRule = RetentionRule<FinishedExecutionState>

/** Options of {@link applyExecutionRetention}. */
export interface ExecutionRetentionOptions extends CommonRetentionOptions {
  /**
   * Removes what an execution left on disk, before its record goes. Called again for the same execution after
   * a crash; where it rejects, the record stays.
   */
  readonly removeResults?: (execution: FinishedExecution) => Promise<void>
  /** Tells whether an execution stays whatever the rules say, for instance because its job is still there. */
  readonly isWanted?: (execution: FinishedExecution) => Promise<boolean>
}

/** What {@link applyExecutionRetention} did, or in a dry run would do. */
export interface ExecutionRetentionReport extends SweepReport {
  readonly dryRun: boolean
  /** Set where nothing was done because the clock cannot be trusted. */
  readonly suspended: ClockStep | null
  readonly trimmedChanges: number
}

/** What retention needs of an execution store. */
export type RetentionExecutionStore = Pick<
  ExecutionStore,
  | 'info'
  | 'counts'
  | 'listFinishedExecutions'
  | 'measureExecution'
  | 'deleteExecution'
  | 'reclaim'
  | 'trimFeed'
>

const OPTION_FIELDS: Fields<ExecutionRetentionOptions> = {
  ...COMMON_FIELDS,
  removeResults: true,
  isWanted: true,
}

const FINISHED_STATES: readonly ComputeState[] = [...COMPUTE_MACHINE.terminal]

/**
 * Removes from a compute node's store the executions that any of the rules lets go, oldest first. Never touches one
 * that has not ended, or whose end the requester has not acknowledged. Otherwise like `applyRetention`.
 */
export async function applyExecutionRetention(
  store: RetentionExecutionStore,
  rules: readonly ExecutionRetentionRule[],
  options: ExecutionRetentionOptions = {},
): Promise<ExecutionRetentionReport> {
  checkFields('applyExecutionRetention', options, OPTION_FIELDS)
  checkRules(rules, FINISHED_STATES)
  const { dryRun = false, feed = DEFAULT_FEED_RULE, clock = Date.now } = options
  const pace = new Pace(options)
  const nowMs = clock()
  const suspended = options.clockConfirmed === true ? null : await findClockStep(store, nowMs)
  const idle = { dryRun, suspended, trimmedChanges: 0 }
  if (suspended !== null) return { ...NOTHING_DONE, ...idle, complete: false }

  if (!dryRun) await reclaimAll(store, pace)
  const sweep = new Sweep<FinishedExecution>(
    {
      inspect: (execution) => inspect(store, execution, options.isWanted),
      remove: (due) => remove(store, due, options.removeResults, pace),
    },
    pace,
    { dryRun, onProgress: options.onProgress ?? (() => undefined) },
  )
  for (const walk of await walksOf(store, rules, nowMs, options.batchRecords ?? 100)) await sweep.along(walk)
  if (dryRun) return { ...sweep.report, ...idle }
  const trimmedChanges = feed === null ? 0 : await trimFeed(store, feed, pace)
  return { ...sweep.report, ...idle, trimmedChanges }
}

/** The index goes by state alone, so a walk looks after all namespaces at once. */
async function walksOf(
  store: RetentionExecutionStore,
  rules: readonly ExecutionRetentionRule[],
  nowMs: number,
  limit: number,
): Promise<Walk<FinishedExecution>[]> {
  const counts = await store.counts({ kind: 'execution' })
  return FINISHED_STATES.flatMap((state) => {
    const budgets = new Map<string, Budget>()
    for (const count of counts) {
      const limits = count.state === state ? limitsFor(rules, count.namespace, state) : null
      if (limits !== null) budgets.set(count.namespace, new Budget(limits, count, nowMs))
    }
    if (budgets.size === 0) return []
    return {
      page: (cursor) => store.listFinishedExecutions({ state, limit, cursor }),
      budgetOf: ({ namespace }) => budgets.get(namespace),
      budgets: [...budgets.values()],
    } satisfies Walk<FinishedExecution>
  })
}

async function inspect(
  store: RetentionExecutionStore,
  execution: FinishedExecution,
  isWanted: ExecutionRetentionOptions['isWanted'],
): Promise<RecordSize | Refusal | null> {
  const { id, revision, acknowledgedRevision } = execution
  if ((await isWanted?.(execution)) === true) return 'wanted'
  if (acknowledgedRevision < revision) return 'unacknowledged'
  return await store.measureExecution(id)
}

async function remove(
  store: RetentionExecutionStore,
  due: readonly Due<FinishedExecution>[],
  removeResults: ExecutionRetentionOptions['removeResults'],
  pace: Pace,
): Promise<Removal[]> {
  const removals = await Promise.all(
    due.map(async ({ item }): Promise<Removal> => {
      try {
        // Before the record: files that no record names any more would stay for ever.
        await removeResults?.(item)
        await store.deleteExecution({ executionId: item.id })
        return 'removed'
      } catch (error) {
        if (isFatal(error)) throw error
        if (isStoreError(error, 'EXECUTION_NOT_FOUND')) return 'changed'
        return error instanceof Error ? error : new Error(String(error))
      }
    }),
  )
  await reclaimAll(store, pace)
  return removals
}
