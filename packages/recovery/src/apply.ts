import {
  type EndReason,
  type EventInput,
  type ExecutionStore,
  isStoreError,
  type OutboxMessage,
} from '@saltcod/store-core'
import { checkFields, type Fields } from '@saltcod/store-core/backend'
import { RECOVERY_ACTIONS, type RecoveryAction } from './action.ts'
import type { RecoveryDecision } from './decision.ts'
import type { RecoveryPage } from './plan.ts'

/** The topic of the history entries that {@link applyRecovery} writes. */
export const RECOVERY_TOPIC = 'Recovery'

/** A decision that could not be carried out. */
export interface RecoveryFailure {
  readonly executionId: string
  readonly message: string
}

/** What {@link applyRecovery} did. */
export interface RecoverySummary {
  /** Decisions carried out, by action; `none` counts what was left alone. */
  readonly actions: Readonly<Record<RecoveryAction, number>>
  /** Executions that changed or went between plan and application; left alone. */
  readonly changed: number
  readonly quarantined: number
  readonly failed: number
  /** The first of the failed, at most 20. */
  readonly failures: readonly RecoveryFailure[]
}

/** Options of {@link applyRecovery}. */
export interface ApplyOptions {
  /** Messages to be written together with a decision; `revision` is that of the record after the change. */
  readonly outbox?: (
    decision: RecoveryDecision,
    change: {
      readonly revision: number
      readonly message: string
      readonly event: EventInput
      /** Why it ends; `undefined` where it goes on. */
      readonly endReason: EndReason | undefined
    },
  ) => readonly OutboxMessage[]
  /** Called for each decision that was carried out, `none` included; what it throws counts as failed. */
  readonly onApplied?: (decision: RecoveryDecision) => void
}

const OPTION_FIELDS: Fields<ApplyOptions> = { outbox: true, onApplied: true }

const MAX_FAILURES = 20

/**
 * Carries a plan out: writes each decision with its reason into its execution's history, fails what is to fail
 * and gives a deadline to what is kept or left alone. To start, rerun and publish is the caller's part (`onApplied`).
 * One record that cannot be changed never keeps the others; rejects only where the plan itself does, or where
 * the store is closed or has failed.
 */
export async function applyRecovery(
  store: Pick<ExecutionStore, 'updateExecution'>,
  plan: AsyncIterable<RecoveryPage> | Iterable<RecoveryPage>,
  options: ApplyOptions = {},
): Promise<RecoverySummary> {
  checkFields('applyRecovery', options, OPTION_FIELDS)
  const actions = Object.fromEntries(RECOVERY_ACTIONS.map((action) => [action, 0])) as Record<
    RecoveryAction,
    number
  >
  const failures: RecoveryFailure[] = []
  let changed = 0
  let quarantined = 0
  let failed = 0
  for await (const page of plan) {
    quarantined += page.quarantined.length
    const outcomes = await Promise.all(page.decisions.map((decision) => applyOne(store, decision, options)))
    for (const [index, decision] of page.decisions.entries()) {
      const outcome = outcomes[index]
      if (outcome === 'applied') actions[decision.action] += 1
      else if (outcome === 'changed') changed += 1
      else if (outcome !== undefined) {
        failed += 1
        if (failures.length < MAX_FAILURES) failures.push(outcome)
      }
    }
  }
  return { actions, changed, quarantined, failed, failures }
}

async function applyOne(
  store: Pick<ExecutionStore, 'updateExecution'>,
  decision: RecoveryDecision,
  options: ApplyOptions,
): Promise<'applied' | 'changed' | RecoveryFailure> {
  try {
    await write(store, decision, options)
    options.onApplied?.(decision)
    return 'applied'
  } catch (error) {
    if (isStoreError(error, 'STORE_CLOSED', 'STORE_FAILED', 'STORE_READ_ONLY')) throw error
    if (isStoreError(error, 'REVISION_CONFLICT', 'ALREADY_TERMINAL', 'EXECUTION_NOT_FOUND')) return 'changed'
    const message = error instanceof Error ? error.message : String(error)
    return { executionId: decision.executionId, message }
  }
}

async function write(
  store: Pick<ExecutionStore, 'updateExecution'>,
  decision: RecoveryDecision,
  options: ApplyOptions,
): Promise<void> {
  const { executionId, action, reason, rule, revision, deadlineAtMs, byAge } = decision
  const message = `${WORDS[action]} after a restart of the node${reason === '' ? '' : `: ${reason}`}`
  const event: EventInput = { message, topic: RECOVERY_TOPIC, details: { action, reason, rule } }
  const endReason = action === 'fail' ? (byAge ? 'too-old' : 'interrupted') : undefined
  const outbox = options.outbox?.(decision, { revision: revision + 1, message, event, endReason }) ?? []
  const base = { executionId, expectedRevision: revision, event, outbox }
  if (endReason !== undefined) {
    await store.updateExecution({ ...base, to: 'Failed', endReason, message })
    return
  }
  await store.updateExecution({ ...base, patch: deadlineAtMs === null ? {} : { deadlineAtMs } })
}

const WORDS: { readonly [Action in RecoveryAction]: string } = {
  admit: 'Looked at again',
  requeue: 'Put back into the queue',
  rerun: 'Run again',
  reattach: 'Looked for again',
  publish: 'Published again',
  fail: 'Failed',
  keep: 'Kept',
  none: 'Left alone',
}
