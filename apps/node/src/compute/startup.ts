import {
  applyRecovery,
  planRecovery,
  RECOVERY_ACTIONS,
  type RecoveryAction,
  type RecoveryDecision,
  type RecoveryPage,
} from '@saltcod/recovery'
import {
  type ComputeExecution,
  type ExecutionStore,
  isStoreError,
  type PageCursor,
} from '@saltcod/store-core'
import type {
  ComputePeer,
  HandshakeAnswer,
  HandshakeExecution,
  NodeDescription,
  NodeLoad,
} from '../link/link.ts'
import { reportMessage } from './change.ts'
import type { ComputeContext } from './context.ts'
import { workDirOf } from './layout.ts'
import { clearWork } from './run-files.ts'
import { killLeftover } from './supervisor/leftover.ts'
import { WakeUp } from './wake-up.ts'
import type { Workshop } from './workshop.ts'

const PAGE = 100
const FIRST_RETRY_MS = 100
const LONGEST_RETRY_MS = 30_000
const TOPIC = 'Restart'

/** What a start introduces itself with. */
export interface Introduction {
  readonly node: NodeDescription
  readonly load: () => NodeLoad
  readonly peer: ComputePeer
}

/**
 * Brings the memory of an earlier process in order, before any work begins: proves its processes dead, asks the
 * requester what is still wanted, and carries the recovery policy out. Resolves when all that is to go on
 * waits in the workshop. Rejects where the store fails, or the signal aborts before the requester answered.
 */
export async function startUp(
  context: ComputeContext,
  workshop: Workshop,
  introduction: Introduction,
  signal: AbortSignal,
): Promise<void> {
  const { store, settings, clock, log, requesterId } = context
  const unproven = await proveDead(context)
  const answers = await shakeHands(context, introduction, signal)
  const unconfirmed = await obey(context, workshop, answers)
  const excluded = new Set([...unproven, ...unconfirmed])
  const nowMs = clock()
  const plan = (): AsyncGenerator<RecoveryPage> =>
    without(excluded, planRecovery(store, settings.recovery, { nowMs, pageSize: PAGE }))
  const planned = await countActions(plan())
  const { preset } = settings.recovery
  log.info({ preset, planned }, 'recovery plan')
  if (preset === 'documented')
    log.warn({ preset }, 'what was begun is left to the deadlines of the requester')
  const toStart: RecoveryDecision[] = []
  const summary = await applyRecovery(store, clearing(context, plan()), {
    outbox: ({ executionId }, { revision, message, event }) => [
      reportMessage(requesterId, executionId, revision, { state: 'Failed', message, event }),
    ],
    onApplied: (decision) => {
      if (STARTS.has(decision.action)) toStart.push(decision)
    },
  })
  const { failures, quarantined, changed, failed, actions } = summary
  log.info({ actions, changed, failed, quarantined }, 'recovery carried out')
  for (const failure of failures) log.error(failure, 'an execution could not be recovered')
  for (const { executionId, action } of toStart) await startAgain(workshop, executionId, action)
}

const STARTS: ReadonlySet<RecoveryAction> = new Set<RecoveryAction>(['admit', 'requeue', 'rerun', 'publish'])

async function startAgain(workshop: Workshop, executionId: string, action: RecoveryAction): Promise<void> {
  switch (action) {
    case 'admit':
      return await workshop.readmit(executionId)
    case 'requeue':
      return await workshop.enqueue(executionId, 'BidAccepted')
    case 'rerun':
      return await workshop.enqueue(executionId, 'Running')
    case 'publish':
      return await workshop.enqueue(executionId, 'Publishing')
    case 'fail':
    case 'keep':
    case 'none':
      return
  }
}

/** Yields every execution that has not ended; a damaged record is passed over, the store keeps note of it. */
async function* inProgress(store: ExecutionStore): AsyncGenerator<ComputeExecution> {
  let cursor: PageCursor | null = null
  do {
    const page: Awaited<ReturnType<ExecutionStore['listExecutions']>> = await store.listExecutions({
      inProgress: true,
      limit: PAGE,
      cursor,
    })
    yield* page.items
    cursor = page.next
  } while (cursor !== null)
}

/** Returns the executions of which a process may still live; nothing is done about those. */
async function proveDead({ store, dataDir, log }: ComputeContext): Promise<string[]> {
  const unproven: string[] = []
  for await (const { id, process: recorded } of inProgress(store)) {
    if (recorded === null) continue
    try {
      // A supervisor leads its own process group.
      const process = { ...recorded, pgid: recorded.pid }
      const found = await killLeftover({ process, executionId: id, workDir: workDirOf(dataDir, id) })
      if (found.supervisorAlive || found.killed > 0) {
        log.warn({ executionId: id, ...found }, 'processes of an earlier run were ended')
      }
    } catch (error) {
      log.error(
        { err: error, executionId: id },
        'an earlier run may still be alive; its execution is left alone',
      )
      unproven.push(id)
    }
  }
  return unproven
}

async function shakeHands(
  { store, link, log }: ComputeContext,
  { node, load, peer }: Introduction,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, HandshakeAnswer | undefined>> {
  const executions: HandshakeExecution[] = []
  for await (const { id, state, revision } of inProgress(store))
    executions.push({ executionId: id, state, revision })
  const pause = new WakeUp()
  for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS)) {
    signal.throwIfAborted()
    try {
      const answers = await link.handshake({ node, load: load(), executions, peer })
      return new Map(executions.map(({ executionId }) => [executionId, answers[executionId]]))
    } catch (error) {
      if (isStoreError(error, 'STORE_CLOSED', 'STORE_FAILED')) throw error
      log.warn({ err: error }, 'the requester does not answer yet; no work begins before')
      await pause.sleep(retryMs, signal)
    }
  }
}

/** Ends and forgets what the requester says. Returns the executions that it said nothing about. */
async function obey(
  { log }: ComputeContext,
  workshop: Workshop,
  answers: ReadonlyMap<string, HandshakeAnswer | undefined>,
): Promise<string[]> {
  const unconfirmed: string[] = []
  for (const [executionId, answer] of answers) {
    if (answer === 'stop') {
      await workshop.end(executionId, {
        to: 'Cancelled',
        message: 'No longer wanted after a restart',
        topic: TOPIC,
      })
    } else if (answer === 'forget') {
      await workshop.forget(executionId)
    } else if (answer === undefined) {
      log.warn({ executionId }, 'the requester said nothing about an execution; it is left alone')
      unconfirmed.push(executionId)
    }
  }
  return unconfirmed
}

async function* without(
  excluded: ReadonlySet<string>,
  plan: AsyncIterable<RecoveryPage>,
): AsyncGenerator<RecoveryPage> {
  for await (const { decisions, quarantined } of plan) {
    yield { decisions: decisions.filter(({ executionId }) => !excluded.has(executionId)), quarantined }
  }
}

/** Removes the files of what is about to fail first, so that a crash in between leaves none behind. */
async function* clearing(
  context: ComputeContext,
  plan: AsyncIterable<RecoveryPage>,
): AsyncGenerator<RecoveryPage, void, undefined> {
  for await (const page of plan) {
    for (const { executionId, action } of page.decisions)
      if (action === 'fail') await clearWork(context, executionId)
    yield page
  }
}

async function countActions(
  plan: AsyncIterable<RecoveryPage>,
): Promise<Partial<Record<RecoveryAction, number>>> {
  const counts = new Map<RecoveryAction, number>()
  for await (const { decisions } of plan) {
    for (const { action } of decisions) counts.set(action, (counts.get(action) ?? 0) + 1)
  }
  return Object.fromEntries(
    RECOVERY_ACTIONS.flatMap((action) => (counts.has(action) ? [[action, counts.get(action)]] : [])),
  )
}
