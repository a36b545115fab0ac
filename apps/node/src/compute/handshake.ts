import type { HandshakeAnswer, HandshakeExecution, NodeDescription, NodeLoad } from '../link/link.ts'
import { isStoreGone } from '../store-gone.ts'
import { retry } from '../waiting/retry.ts'
import type { ExecutionChange } from './change.ts'
import type { ComputeContext } from './context.ts'
import type { Executor } from './executor.ts'
import { inProgress } from './in-progress.ts'
import { takeStartupStep } from './startup-step.ts'

const NO_LONGER_WANTED: ExecutionChange = {
  to: 'Cancelled',
  endReason: 'stopped',
  message: 'No longer wanted after a restart',
  topic: 'Restart',
}

/** What a start introduces itself with. */
export interface Introduction {
  readonly node: NodeDescription
  readonly load: () => NodeLoad
}

/**
 * Tells the requester of every execution that has not ended, again and again until it answers. Rejects where the
 * store fails or the signal aborts.
 */
export async function shakeHands(
  { store, link, log }: ComputeContext,
  { node, load }: Introduction,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, HandshakeAnswer | undefined>> {
  const executions: HandshakeExecution[] = []
  for await (const { id, state, revision } of inProgress(store))
    executions.push({ executionId: id, state, revision })
  signal.throwIfAborted()
  const answers = await retry(() => link.handshake({ node, load: load(), executions }), {
    signal,
    isFinal: isStoreGone,
    onFailure: (error) =>
      log.warn({ err: error }, 'the requester does not answer yet; no work begins before'),
  })
  return new Map(executions.map(({ executionId }) => [executionId, answers[executionId]]))
}

/** Ends and forgets what the requester says. Returns the executions that nothing may be started for all the same. */
export async function obey(
  context: ComputeContext,
  executor: Executor,
  answers: ReadonlyMap<string, HandshakeAnswer | undefined>,
): Promise<string[]> {
  const leftAlone: string[] = []
  for (const [executionId, answer] of answers) {
    const done = await obeyOne(context, executor, executionId, answer)
    if (!done) leftAlone.push(executionId)
  }
  return leftAlone
}

async function obeyOne(
  context: ComputeContext,
  executor: Executor,
  executionId: string,
  answer: HandshakeAnswer | undefined,
): Promise<boolean> {
  switch (answer) {
    case 'continue':
      return true
    case 'stop':
      return await takeStartupStep(context, executionId, () => executor.end(executionId, NO_LONGER_WANTED))
    case 'forget':
      return await takeStartupStep(context, executionId, () => executor.forget(executionId))
    case undefined:
      context.log.warn({ executionId }, 'the requester said nothing about an execution; it is left alone')
      return false
  }
}
