import { Failure } from '@saltcod/cli-kit'
import { EXIT } from '../exit-code.ts'
import type { HandshakeAnswer, HandshakeExecution, NodeDescription, NodeLoad } from '../link/link.ts'
import { linkedStore } from '../link/peer-store.ts'
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
 * store fails or the signal aborts, and with a `Failure` where one side does not work with the store of the other.
 */
export async function shakeHands(
  { store, link, log, peers, requesterId }: ComputeContext,
  { node, load }: Introduction,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, HandshakeAnswer | undefined>> {
  const executions: HandshakeExecution[] = []
  for await (const { id, state, revision } of inProgress(store))
    executions.push({ executionId: id, state, revision })
  signal.throwIfAborted()
  const shake = async (): ReturnType<typeof link.handshake> =>
    link.handshake({ node, load: load(), store: await linkedStore(store), executions })
  const reply = await retry(shake, {
    signal,
    isFinal: isStoreGone,
    onFailure: (error) =>
      log.warn({ err: error }, 'the requester does not answer yet; no work begins before'),
  })
  if ('refusal' in reply) throw refusal(reply.refusal)
  const { store: requesterStore, answers } = reply
  const strange = await peers.meet(requesterId, requesterStore)
  if (strange !== null) throw refusal(strange)
  return new Map(executions.map(({ executionId }) => [executionId, answers[executionId]]))
}

function refusal(what: string): Failure {
  return new Failure(EXIT.usage, what, {
    hint: 'put the right store back, or restore a backup with saltcod-inspect restore; to go on with the stores that are there, start once with --accept-stores',
  })
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
