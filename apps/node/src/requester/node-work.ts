import { allItems } from './all-items.ts'
import type { RequesterContext } from './context.ts'
import { requestEvaluation } from './evaluation-request.ts'

/** Has the jobs looked at that may have waited for a node. */
export async function offerNode(context: RequesterContext, nodeId: string): Promise<void> {
  const { store, log } = context
  try {
    const queued = allItems((cursor) => store.listJobs({ states: ['Queued'], limit: 1000, cursor }))
    for await (const job of queued) await requestEvaluation(context, job.id, 'node-join')
    const daemons = allItems((cursor) =>
      store.listJobs({ type: 'daemon', inProgress: true, limit: 1000, cursor }),
    )
    for await (const job of daemons) await requestEvaluation(context, job.id, 'node-join')
  } catch (error) {
    log.error({ err: error, node: nodeId }, 'cannot tell waiting jobs of a node that came')
  }
}

/** Has the jobs looked at that have executions in progress on a node, or on any that `isMeant` names. */
export async function reconsiderWork(
  context: RequesterContext,
  query: { readonly nodeId?: string },
  isMeant: (nodeId: string) => boolean = () => true,
): Promise<void> {
  const { store } = context
  const jobIds = new Set<string>()
  const executions = allItems((cursor) =>
    store.listExecutions({ ...query, inProgress: true, limit: 1000, cursor }),
  )
  for await (const { nodeId, jobId } of executions) {
    if (isMeant(nodeId)) jobIds.add(jobId)
  }
  for (const jobId of jobIds) await requestEvaluation(context, jobId, 'node-leave')
}
