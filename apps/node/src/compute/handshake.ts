import { Failure, isFailure } from '@saltcod/cli-kit'
import {
  type ComputeExecution,
  type ExecutionStore,
  isEndReason,
  isStoreError,
  type OutboxRow,
} from '@saltcod/store-core'
import { EXIT } from '../exit-code.ts'
import type {
  HandshakeAnswer,
  HandshakeExecution,
  HandshakeReply,
  NodeDescription,
  NodeLoad,
  WhyStopped,
} from '../link/link.ts'
import { isLinkError, LinkError } from '../link/link-error.ts'
import { linkedStore } from '../link/peer-store.ts'
import { isStoreGone } from '../store-gone.ts'
import { breathing } from '../waiting/breath.ts'
import { retry } from '../waiting/retry.ts'
import type { ExecutionChange } from './change.ts'
import type { ComputeContext } from './context.ts'
import type { Executor } from './executor.ts'
import { inProgress } from './in-progress.ts'
import { linkRetry } from './link-retry.ts'
import { reportIn } from './report-row.ts'
import { takeStartupStep } from './startup-step.ts'
import { tellAllLater } from './tell-all.ts'

function noLongerWanted({ reason = '', endReason }: Partial<WhyStopped> = {}): ExecutionChange {
  return {
    to: 'Cancelled',
    endReason: isEndReason(endReason) ? endReason : 'stopped',
    message: reason === '' ? 'No longer wanted' : `No longer wanted: ${reason}`,
    topic: 'Restart',
  }
}

/** What a start introduces itself with. */
export interface Introduction {
  readonly node: NodeDescription
  readonly load: () => NodeLoad
}

/** What an execution that was named is to do; undefined where nothing was said. */
interface Answer {
  readonly answer: HandshakeAnswer | undefined
  readonly why: WhyStopped | undefined
}

type Answers = ReadonlyMap<string, Answer>

/** A requester of another process is another one at each opening of its link, and pinned by one name all the same. */
const REMOTE_PEER = '@requester'

/**
 * Tells the requester of every execution that has not ended, again and again until it answers. Rejects where the
 * store fails or the signal aborts. Where one side does not work with the store of the other it rejects with a
 * `Failure` in a node that is its own requester; another one's is asked again until somebody has mended it.
 */
export async function shakeHands(
  context: ComputeContext,
  introduction: Introduction,
  signal: AbortSignal,
): Promise<Answers> {
  const { requester, watch } = context
  const again = linkRetry(context, signal, 'hands could not be shaken with the requester; trying again')
  return await retry(() => shakeOnce(context, introduction, signal), {
    ...again,
    isFinal: (error) => isStoreGone(error) || (!requester.isRemote && isFailure(error)),
    onFailure: (error) => {
      if (isFailure(error)) watch.refused(withHint(error))
      else if (isLinkError(error, 'LINK_REFUSED', 'LINK_UNJOINED', 'LINK_LIMIT')) watch.refused(error.message)
      else again.onFailure(error)
    },
  })
}

async function shakeOnce(
  context: ComputeContext,
  { node, load }: Introduction,
  signal: AbortSignal,
): Promise<Answers> {
  const { store, link, requester, watch } = context
  const introducing = requester.id
  const executions = await known(context)
  signal.throwIfAborted()
  const reply = await link.handshake({ node, load: load(), store: await linkedStore(store), executions })
  if ('refusal' in reply)
    // Another one's refusal says itself what helps.
    throw requester.isRemote ? new Failure(EXIT.usage, reply.refusal) : refusal(reply.refusal)
  const requesterId = requesterIdOf(context, reply)
  await meetStore(context, requesterId, reply)
  requester.id = requesterId
  requester.opening = reply.store.openings[0]?.id ?? ''
  requester.silentAfterMs = reply.silentAfterMs ?? null
  await context.refused.putBack(requesterId, requester.opening)
  link.adopt(reply.session)
  // What is to be told again to a requester that was not known before is named to it too.
  if (introducing !== requesterId && (await hasUnnamed(context, executions)))
    return await shakeOnce(context, { node, load }, signal)
  watch.agreed()
  context.handsShaken.advance()
  const { answers, whyStopped = {} } = reply
  return new Map(
    executions.map(({ executionId }) => {
      return [executionId, { answer: answers[executionId], why: whyStopped[executionId] }]
    }),
  )
}

const OUTBOX_PAGE = 500

/** Lists what has not ended, and what has ended in a report that the requester has not taken. */
async function known(context: ComputeContext): Promise<HandshakeExecution[]> {
  const { store, requester } = context
  const executions = new Map<string, HandshakeExecution>()
  const add = ({ id, state, revision }: Pick<ComputeExecution, 'id' | 'state' | 'revision'>): void => {
    executions.set(id, { executionId: id, state, revision })
  }
  for await (const execution of inProgress(store)) add(execution)
  // A requester of another process is known by its first answer, and all that is not named before it is missed there.
  const destinations = requester.id === '' ? await store.outboxDestinations() : [requester.id]
  for (const destination of destinations) {
    for await (const row of outboxRows(store, destination)) {
      const executionId = reportIn(row)?.executionId
      if (executionId === undefined || executions.has(executionId)) continue
      const execution = await unlessDamaged(store.getExecution(executionId))
      if (execution !== null) add(execution)
    }
  }
  return [...executions.values()]
}

async function hasUnnamed(context: ComputeContext, named: readonly HandshakeExecution[]): Promise<boolean> {
  const ids = new Set(named.map(({ executionId }) => executionId))
  return (await known(context)).some(({ executionId }) => !ids.has(executionId))
}

async function* outboxRows(store: ExecutionStore, destination: string): AsyncGenerator<OutboxRow> {
  for (let afterSequence = 0; ; ) {
    const rows = await store.readOutbox({ destination, afterSequence, limit: OUTBOX_PAGE })
    yield* rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < OUTBOX_PAGE) return
    afterSequence = last.sequence
  }
}

/** One damaged record must not keep a node from its requester. */
async function unlessDamaged<T>(read: Promise<T>): Promise<T | null> {
  try {
    return await read
  } catch (error) {
    if (!isStoreError(error, 'RECORD_CORRUPT', 'INVALID_ARGUMENT')) throw error
    return null
  }
}

type Taken = Exclude<HandshakeReply, { readonly refusal: string }>

function requesterIdOf({ requester }: ComputeContext, { requesterId }: Taken): string {
  if (!requester.isRemote) return requester.id
  if (requesterId !== undefined) return requesterId
  throw new LinkError(
    'LINK_VERSION',
    'the requester is of an earlier release than this node: upgrade requesters before their nodes',
  )
}

/** Refuses a requester whose store is not the one that this node has worked for. */
async function meetStore(context: ComputeContext, id: string, { store }: Taken): Promise<void> {
  const { requester, peers, nodeId, log } = context
  const onTaken = async (strangeness: string): Promise<void> => {
    log.warn(
      { requester: id, strangeness },
      'the requester has another store on purpose; it is told all again',
    )
    await tellAllLater(context)
  }
  const strange = requester.isRemote
    ? await peers.meet(REMOTE_PEER, store, { called: id, formerly: nodeId, onTaken })
    : await peers.meet(id, store, { onTaken })
  if (strange === null) return
  throw requester.isRemote ? new Failure(EXIT.usage, strange, { hint: OTHER_REQUESTER }) : refusal(strange)
}

const OTHER_REQUESTER =
  'see whether --orchestrators leads to the requester that is meant; where it does, say that its store is: restore it there with saltcod-inspect restore, or start this node once with --accept-stores'

/** In a log nothing stands behind a message. */
function withHint({ hint, message }: Failure): string {
  return hint === undefined ? message : `${message}; ${hint}`
}

/** Takes note of how far the store of the requester has come. */
export async function hearOfRequester({ requester, peers }: ComputeContext, sequence: number): Promise<void> {
  await peers.hear(requester.isRemote ? REMOTE_PEER : requester.id, sequence)
}

function refusal(what: string): Failure {
  return new Failure(EXIT.usage, what, {
    hint: 'put the right store back, or restore a backup with saltcod-inspect restore; where it is the right one, look with saltcod-inspect check whether it is damaged; to go on with the stores that are there, start once with --accept-stores',
  })
}

/** Ends and forgets what the requester says. Returns the executions that nothing may be started for all the same. */
export async function obey(context: ComputeContext, executor: Executor, answers: Answers): Promise<string[]> {
  const leftAlone: string[] = []
  for await (const [executionId, answer] of breathing(answers)) {
    const done = await obeyOne(context, executor, executionId, answer)
    if (!done) leftAlone.push(executionId)
  }
  return leftAlone
}

async function obeyOne(
  context: ComputeContext,
  executor: Executor,
  executionId: string,
  { answer, why }: Answer,
): Promise<boolean> {
  switch (answer) {
    case 'continue':
      return true
    case 'stop':
      return await takeStartupStep(context, executionId, () => executor.end(executionId, noLongerWanted(why)))
    case 'forget':
      return await takeStartupStep(context, executionId, () => executor.disown(executionId))
    case undefined:
      context.log.warn({ executionId }, 'the requester said nothing about an execution; it is left alone')
      return false
  }
}
