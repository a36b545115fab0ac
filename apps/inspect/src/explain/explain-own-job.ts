import type { Terminal } from '@saltcod/cli-kit'
import type { Job } from '@saltcod/store-core'
import { findLmdbOwner } from '@saltcod/store-lmdb'
import type { OpenedJobs } from '../store/open-store.ts'
import { type Explanation, explanationOf, recordsOf } from './explanation.ts'
import { nodesFacts } from './other-side.ts'
import { explainJob } from './verdict.ts'

/** Tells why a job of a store of ours is where it is, and what comes next. */
export async function explainOwnJob(terminal: Terminal, opened: OpenedJobs, job: Job): Promise<Explanation> {
  const { path, store } = opened
  const records = await recordsOf(terminal, store, job.id)
  const { executions, evaluations, history } = records
  const waitingMessages = new Map<string, number>()
  for (const destination of new Set(executions.map(({ nodeId }) => nodeId))) {
    const [oldest] = await store.readOutbox({ destination, limit: 1 })
    if (oldest !== undefined) waitingMessages.set(destination, oldest.atMs)
  }
  const queueing = new Map(
    history.flatMap(({ executionId, event }): [string, string][] =>
      executionId !== null && event.topic === 'Queueing' ? [[executionId, event.message]] : [],
    ),
  )
  const verdict = explainJob({
    job,
    executions,
    pending: evaluations.filter(({ status }) => status === 'pending'),
    newest: evaluations.at(-1),
    waitingMessages,
    queueing,
    ownNodeId: (await store.info()).nodeId,
    nodeRuns: (await findLmdbOwner(path)).running,
    nowMs: Date.now(),
  })
  return { ...explanationOf(job, records, verdict), elsewhere: await nodesFacts(opened, executions) }
}
