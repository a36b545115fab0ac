import { openLmdbExecutionStore, openLmdbJobStore } from '@saltcod/store-lmdb'

const JOBS = 120

/** Fills a store of jobs with something in every table: values of several pages, labels, deletions, messages. */
export async function writeFullJobStore(path: string): Promise<void> {
  const store = await openLmdbJobStore({ path, nodeId: 'n-1' })
  for (let number = 0; number < JOBS; number += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, index) => oneJob(store, number + index)))
  }
  for (const jobId of ['job-1', 'job-31', 'job-61']) {
    await store.transitionJob({ jobId, to: 'Stopped', message: 'by request' })
  }
  await store.deleteJob({ jobId: 'job-1' })
  await store.reclaim()
  await store.deleteJob({ jobId: 'job-31' })
  await store.setNamedCursor('follower', await store.latestCursor())
  await store.close()
}

async function oneJob(store: Awaited<ReturnType<typeof openLmdbJobStore>>, number: number): Promise<void> {
  const jobId = `job-${number}`
  const executionId = `exec-${number}`
  const pad = 'x'.repeat(number % 30 === 0 ? 9_000 : 300)
  await store.submitJob({
    id: jobId,
    name: `name-${number}`,
    type: number % 3 === 0 ? 'service' : 'batch',
    spec: { pad, Env: { PASSWORD: 'hidden' } },
    labels: number % 4 === 0 ? { team: 'blue', number: String(number) } : {},
    requestId: `request-${number}`,
    ...(number % 9 === 0 ? { outbox: [{ destination: 'n-2', body: { number } }] } : {}),
    ...(number % 5 === 0 ? { deadlineAtMs: 2_000_000_000_000 + number } : {}),
    ...(number % 7 === 0 ? { submitKey: `key-${number}` } : {}),
  })
  await store.transitionJob({ jobId, to: 'Running' })
  await store.createExecution({ id: executionId, jobId, nodeId: `n-${number % 3}`, state: 'AskForBid' })
  await store.updateExecution({ executionId, to: 'Running', message: 'it runs' })
  if (number % 2 === 1) return
  await store.updateExecution({ executionId, to: number % 6 === 0 ? 'Failed' : 'Completed' })
  await store.transitionJob({
    jobId,
    to: number % 6 === 0 ? 'Failed' : 'Completed',
    message: `end of ${number}`,
  })
  if (number % 40 === 0) await store.reviseJob({ jobId, spec: { pad: 'again' } })
}

/** Fills a store of executions in the same way. */
export async function writeFullExecutionStore(path: string): Promise<void> {
  const store = await openLmdbExecutionStore({ path, nodeId: 'n-1' })
  for (let number = 0; number < JOBS; number += 1) {
    const executionId = `exec-${number}`
    const spec = { pad: 'x'.repeat(number % 30 === 0 ? 9_000 : 300) }
    const job = {
      id: `job-${number % 50}`,
      version: 1,
      namespace: 'default',
      name: `name-${number}`,
      type: 'batch',
      priority: 0,
      spec,
    } as const
    await store.createExecution({ id: executionId, job, requesterId: 'n-1' })
    await store.updateExecution({ executionId, to: 'BidAccepted' })
    if (number % 3 !== 0) await store.updateExecution({ executionId, to: 'Running' })
    if (number % 3 === 1) await store.updateExecution({ executionId, to: 'Completed', message: 'done' })
  }
  await store.deleteExecution({ executionId: 'exec-1' })
  await store.reclaim()
  await store.close()
}
