import { allItems } from './all-items.ts'
import type { RequesterContext } from './context.ts'
import { requestEvaluation } from './evaluation-request.ts'

/**
 * Has the jobs looked at that have executions in progress on a node that takes no more work, or on any that `isMeant`
 * names, and those that may wait for such a node.
 */
export async function reconsiderWork(
  context: RequesterContext,
  query: { readonly nodeId?: string },
  isMeant: (nodeId: string) => boolean = () => true,
): Promise<void> {
  const { store, placement } = context
  const jobIds = new Set<string>()
  const executions = allItems((cursor) =>
    store.listExecutions({ ...query, inProgress: true, limit: 200, cursor }),
  )
  for await (const { nodeId, jobId } of executions) {
    if (isMeant(nodeId)) jobIds.add(jobId)
  }
  // An ops job waits for nodes that are silent, but for no others that take no work.
  for (const id of placement.everywhere.ofType('ops')) jobIds.add(id)
  for (const jobId of jobIds) await requestEvaluation(context, jobId, 'node-leave')
}
