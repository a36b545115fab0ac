import type { Json, OutboxMessage } from '@saltcod/store-core'
import type { Command } from '../link/link.ts'
import { allItems } from './all-items.ts'
import type { RequesterContext } from './context.ts'

/**
 * Returns what is said to the nodes that ran a job when it is removed: that nothing of it is to be left there. A node
 * that was deleted is told nothing. What this node itself has is removed by whoever removes the job.
 */
export async function farewells(
  { store, nodes, membership, nodeId: ownId }: RequesterContext,
  jobId: string,
): Promise<OutboxMessage[]> {
  await membership.ready()
  const nodeIds = new Set<string>()
  const executions = allItems((cursor) => store.listExecutions({ jobId, limit: 1_000, cursor }))
  for await (const { nodeId } of executions) nodeIds.add(nodeId)
  nodeIds.delete(ownId)
  const command: Command = { kind: 'forget-job', jobId }
  return [...nodeIds]
    .filter((nodeId) => nodes.get(nodeId) !== null)
    .map((destination) => ({ destination, body: command as unknown as Json }))
}
