import { outlivesNode } from '@saltcod/bacalhau-records'
import {
  applyRecovery,
  planRecovery,
  RECOVERY_ACTIONS,
  type RecoveryAction,
  type RecoveryDecision,
  type RecoveryPage,
} from '@saltcod/recovery'
import { breathing } from '../waiting/breath.ts'
import { reportMessage } from './change.ts'
import type { ComputeContext } from './context.ts'
import type { Executor } from './executor.ts'
import { type Introduction, obey, shakeHands } from './handshake.ts'
import { proveDead } from './old-runs.ts'
import { clearWork } from './run-files.ts'
import { takeStartupStep } from './startup-step.ts'

/**
 * Brings the memory of an earlier process in order, before any work begins: proves its processes dead, asks the
 * requester what is still wanted, and carries the recovery policy out. Resolves when all that is to go on
 * waits in the executor. Rejects where the store fails, or the signal aborts before the requester answered.
 */
export async function startUp(
  context: ComputeContext,
  executor: Executor,
  introduction: Introduction,
  signal: AbortSignal,
): Promise<void> {
  const { store, settings, clock, log, requester } = context
  const { unproven, ended } = await proveDead(context)
  const answers = await shakeHands(context, introduction, signal)
  const leftAlone = await obey(context, executor, answers)
  const excluded = new Set([...unproven, ...leftAlone])
  const nowMs = clock()
  // A run that came to its own end was not interrupted; only the record of its end is missing.
  const toConclude = new Set<string>()
  const leftOut = ({ executionId, action, byAge }: RecoveryDecision): boolean => {
    const goesOnOrFails = !byAge && (action === 'rerun' || action === 'fail')
    const concluded = goesOnOrFails && ended.has(executionId)
    if (concluded && !excluded.has(executionId)) toConclude.add(executionId)
    return concluded || excluded.has(executionId)
  }
  const plan = (): AsyncGenerator<RecoveryPage> =>
    without(
      leftOut,
      planRecovery(store, settings.recovery, { nowMs, outlives: ({ job }) => outlivesNode(job.spec) }),
    )
  const planned = { ...(await countActions(plan())), conclude: toConclude.size }
  const { preset } = settings.recovery
  log.info({ preset, planned }, 'recovery plan')
  if (preset === 'expire')
    log.warn(
      { preset },
      'what was begun is left to its deadlines; nothing is started again before one has passed',
    )
  const toStart: RecoveryDecision[] = []
  const summary = await applyRecovery(store, clearing(context, executor, plan()), {
    outbox: ({ executionId, action }, { revision, message, event, endReason }) => [
      reportMessage(requester.id, executionId, revision, {
        message,
        event,
        endReason,
        ...(action === 'fail' ? { state: 'Failed' } : {}),
        // It may have been taken on without a word, as one that begins at once is.
        ...(action === 'requeue' ? { state: 'BidAccepted' } : {}),
      }),
    ],
    onApplied: (decision) => {
      if (STARTS.has(decision.action)) toStart.push(decision)
    },
  })
  const { failures, quarantined, changed, failed, actions } = summary
  log.info(
    { carriedOut: actions, overtaken: changed, notCarriedOut: failed, quarantined },
    'recovery carried out',
  )
  for (const failure of failures) log.error(failure, 'an execution could not be recovered')
  for await (const executionId of breathing(toConclude)) {
    await takeStartupStep(context, executionId, () => executor.enqueue(executionId, 'conclude'))
  }
  for await (const { executionId, action } of breathing(toStart)) {
    await takeStartupStep(context, executionId, () => startAgain(executor, executionId, action))
  }
}

const STARTS: ReadonlySet<RecoveryAction> = new Set<RecoveryAction>([
  'admit',
  'requeue',
  'rerun',
  'reattach',
  'publish',
])

async function startAgain(executor: Executor, executionId: string, action: RecoveryAction): Promise<void> {
  switch (action) {
    case 'admit':
      return await executor.readmit(executionId)
    case 'requeue':
      return await executor.enqueue(executionId, 'run')
    case 'rerun':
      return await executor.enqueue(executionId, 'rerun')
    case 'reattach':
      return await executor.reattach(executionId)
    case 'publish':
      return await executor.enqueue(executionId, 'publish')
    case 'fail':
    case 'keep':
    case 'none':
      return
  }
}

async function* without(
  leftOut: (decision: RecoveryDecision) => boolean,
  plan: AsyncIterable<RecoveryPage>,
): AsyncGenerator<RecoveryPage> {
  for await (const { decisions, quarantined } of plan) {
    yield { decisions: decisions.filter((decision) => !leftOut(decision)), quarantined }
  }
}

/** Removes the runs and files of what is about to fail first, so that a crash in between leaves none behind. */
async function* clearing(
  context: ComputeContext,
  executor: Executor,
  plan: AsyncIterable<RecoveryPage>,
): AsyncGenerator<RecoveryPage, void, undefined> {
  for await (const page of plan) {
    for (const { executionId, action } of page.decisions) {
      if (action !== 'fail') continue
      await executor.endStanding(executionId)
      await clearWork(context, executionId)
    }
    yield page
  }
}

async function countActions(
  plan: AsyncIterable<RecoveryPage>,
): Promise<Partial<Record<RecoveryAction, number>>> {
  const counts = new Map<RecoveryAction, number>()
  for await (const { decisions } of breathing(plan)) {
    for (const { action } of decisions) counts.set(action, (counts.get(action) ?? 0) + 1)
  }
  return Object.fromEntries(
    RECOVERY_ACTIONS.flatMap((action) => (counts.has(action) ? [[action, counts.get(action)]] : [])),
  )
}
