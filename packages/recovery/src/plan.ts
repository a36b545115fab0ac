import type { ComputeExecution, ExecutionStore, PageCursor } from '@saltcod/store-core'
import { checkFields, type Fields } from '@saltcod/store-core/backend'
import { decideRecovery, type RecoveryDecision } from './decision.ts'
import type { RecoveryPolicy } from './policy.ts'

/** A part of a plan, as large as one page of the store. */
export interface RecoveryPage {
  readonly decisions: readonly RecoveryDecision[]
  /** Executions whose record is damaged; no restart touches them. */
  readonly quarantined: readonly string[]
}

/** Options of {@link planRecovery}. */
export interface PlanOptions {
  /** The time that ages are counted to, in milliseconds since 1970. Default: now. */
  readonly nowMs?: number
  /** Tells which executions have runs that do not end with the node. Default: none. */
  readonly outlives?: (execution: ComputeExecution) => boolean
  /** Executions in one page, 1 to 1,000. Default 100. */
  readonly pageSize?: number
}

const OPTION_FIELDS: Fields<PlanOptions> = { nowMs: true, pageSize: true, outlives: true }

/**
 * Works out what a restart does with every execution that has not ended, page by page; at most one page is in
 * memory. Only reads, so it may look at the store of a running node. Throws what `listExecutions` throws.
 */
export async function* planRecovery(
  store: Pick<ExecutionStore, 'listExecutions'>,
  policy: RecoveryPolicy,
  options: PlanOptions = {},
): AsyncGenerator<RecoveryPage, void, undefined> {
  checkFields('planRecovery', options, OPTION_FIELDS)
  const { nowMs = Date.now(), pageSize = 100, outlives = () => false } = options
  let cursor: PageCursor | null = null
  do {
    const page: Awaited<ReturnType<ExecutionStore['listExecutions']>> = await store.listExecutions({
      inProgress: true,
      limit: pageSize,
      cursor,
    })
    const decisions = page.items.map((execution) =>
      decideRecovery(execution, policy, nowMs, outlives(execution)),
    )
    if (decisions.length > 0 || page.quarantined.length > 0) {
      yield { decisions, quarantined: page.quarantined }
    }
    cursor = page.next
  } while (cursor !== null)
}
