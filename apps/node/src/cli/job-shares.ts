import type { WireExecution, WireJob } from '@saltcod/bacalhau-records'
import { shortId, type Terminal } from '@saltcod/cli-kit'
import type { ApiClient } from '../client/api-client.ts'
import { isDiscarded } from './words.ts'

const ON_EVERY_NODE = new Set(['ops', 'daemon'])
const MOST_NAMED = 3

/**
 * Says, where several executions share a job, that what was printed is the output of one of them, and how that of the
 * others is had: who waits for it would take it for all that there is.
 */
export async function tellShares(
  terminal: Terminal,
  client: ApiClient,
  jobId: string,
  readId: string,
): Promise<void> {
  const { Job, Executions } = await client.getJob(jobId, { include: 'executions' })
  const began = (Executions?.Items ?? []).filter((execution) => !isDiscarded(execution))
  const read = began.find(({ ID }) => ID === readId)
  if (read === undefined) return
  const newest = new Map<string, string>()
  for (const execution of began) {
    if (execution.JobVersion === read.JobVersion) newest.set(shareOf(Job, execution), execution.ID)
  }
  const shares = newest.size
  newest.delete(shareOf(Job, read))
  const [first, ...more] = [...newest.values()].map((id) => shortId(id, false))
  if (first === undefined) return
  const others = more.slice(0, MOST_NAMED).join(', ')
  const unnamed = more.length > MOST_NAMED ? ` and ${more.length - MOST_NAMED} more` : ''
  const also = others === '' ? '' : ` (likewise ${others}${unnamed})`
  terminal.err(
    `Note: this is what execution ${shortId(readId, false)} wrote, one of ${shares} that share the job; of the others: saltcod job logs ${shortId(jobId, false)} --execution-id ${first}${also}\n`,
  )
}

/** What it does of its job, which an execution that carries it on does too. */
function shareOf({ Type }: WireJob, { NodeID, PartitionIndex = 0 }: WireExecution): string {
  return ON_EVERY_NODE.has(Type) ? NodeID : String(PartitionIndex)
}
