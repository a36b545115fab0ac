import { localTime, shortId, span } from '@saltcod/cli-kit'
import { type ComputeExecution, EXECUTION_MACHINE, type Execution, type KnownNode } from '@saltcod/store-core'
import type { OpenedExecutions, OpenedJobs } from '../store/open-store.ts'

const PAGE = 500
const MOST_PAGES = 20
/** By this name a compute node alone knows its requester, and by its id one of the same process. */
const REMOTE_REQUESTER = '@requester'

/** Tells what a job store knows of the node of each execution that has not ended, by its id. */
export async function nodesFacts(
  { store }: OpenedJobs,
  executions: readonly Execution[],
): Promise<Map<string, readonly string[]>> {
  const nowMs = Date.now()
  const facts = new Map<string, readonly string[]>()
  for (const { id, nodeId, state, computeRevision } of executions) {
    if (EXECUTION_MACHINE.terminal.has(state)) continue
    const newest =
      computeRevision === 0 ? 'none was taken' : `the newest that was taken is of revision ${computeRevision}`
    facts.set(id, [
      `what node ${shortId(nodeId)} knows of execution ${shortId(id)} cannot be asked here, since its store is not here (saltcod job why ${shortId(id)} asks the node); of its reports ${newest}`,
      nodeText(nodeId, await store.getNode(nodeId), nowMs),
    ])
  }
  return facts
}

function nodeText(nodeId: string, node: KnownNode | null, nowMs: number): string {
  if (node === null) return `node ${shortId(nodeId)} is not known any more`
  const { membership, scheduling, lastSeenAtMs } = node
  const odd = [
    ...(membership === 'approved' ? [] : [membership]),
    ...(scheduling === 'on' ? [] : [scheduling]),
  ]
  const seen = `node ${shortId(nodeId)} was last heard of at ${localTime(lastSeenAtMs)}, ${span(nowMs - lastSeenAtMs)} ago, or up to a minute later`
  return odd.length === 0 ? seen : `${seen}; it is ${odd.join(' and ')}`
}

/** Tells what the store of a compute node knows of its requester, whose own store is not here. */
export async function requesterFacts(
  { store }: OpenedExecutions,
  { id, requesterId }: ComputeExecution,
): Promise<string[]> {
  const nowMs = Date.now()
  const peer = (await store.getPeer(REMOTE_REQUESTER)) ?? (await store.getPeer(requesterId))
  const heard =
    peer === null
      ? 'was never heard of, or keeps nothing'
      : `was last heard of at ${localTime(peer.seenAtMs)}, ${span(nowMs - peer.seenAtMs)} ago, as far as was noted`
  let [waiting, oldestAtMs, afterSequence] = [0, nowMs, 0]
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const rows = await store.readOutbox({ destination: requesterId, afterSequence, limit: PAGE })
    for (const { body, atMs, sequence } of rows) {
      afterSequence = sequence
      if ((body as { readonly executionId?: unknown } | null)?.executionId !== id) continue
      waiting += 1
      oldestAtMs = Math.min(oldestAtMs, atMs)
    }
    if (rows.length < PAGE) break
  }
  return [
    `requester ${shortId(requesterId)} ${heard}; its own store is not here`,
    waiting === 0
      ? 'it has taken all that this node reported of the execution'
      : `${waiting} ${waiting === 1 ? 'report' : 'reports'} of the execution ${waiting === 1 ? 'is' : 'are'} not confirmed by it, for ${span(nowMs - oldestAtMs)}`,
  ]
}
