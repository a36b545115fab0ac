import { join } from 'node:path'
import { type ExecutionJob, isStoreError, type JobStore, type Json } from '@saltcod/store-core'
import { expect, onTestFinished, test } from 'vitest'
import { IS_LONG } from '../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { openLmdbExecutionStore, openLmdbJobStore } from '../../src/index.ts'

const SERVICES = 30
const MEBIBYTE = 1024 * 1024

const JOB: ExecutionJob<Json> = {
  id: 'job-1',
  version: 1,
  namespace: 'default',
  name: 'words',
  type: 'batch',
  priority: 0,
  spec: { tasks: [] },
}

/**
 * Submits until the store refuses, with smaller and smaller specifications; resolves with the ids of what was taken.
 */
async function fill(store: JobStore, sizes = [500_000, 50_000, 10]): Promise<string[]> {
  const ids: string[] = []
  for (const bytes of sizes) {
    for (;;) {
      try {
        const { job } = await store.submitJob({ type: 'batch', spec: { padding: 'x'.repeat(bytes) } })
        ids.push(job.id)
      } catch (error) {
        if (isStoreError(error, 'STORE_FULL')) break
        throw error
      }
    }
  }
  return ids
}

/** Works on all that is due; plans that ask for a running job's executions to stop, and nothing else, are written. */
async function stopWhatRuns(store: JobStore): Promise<void> {
  for (;;) {
    const claim = await store.claimEvaluation({ holder: 'worker', leaseMs: 60_000, scheduler: true })
    if (claim === null) return
    const { items } = await store.listExecutions({ jobId: claim.evaluation.jobId, inProgress: true })
    await store.applyPlan({
      lease: claim.lease,
      updates: items.map(({ id }) => ({ executionId: id, patch: { desiredState: 'Stopped' } })),
      outbox: items.map(({ id, nodeId }) => ({ destination: nodeId, body: { stop: id } })),
    })
  }
}

test('a full store takes what ends or frees something, until there is room again', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const store = await openLmdbJobStore({ path, quotaBytes: 24 * 1024 * 1024 })
  onTestFinished(() => store.close())
  const services = await Promise.all(
    Array.from({ length: SERVICES }, async () => {
      const { job } = await store.submitJob({ type: 'service', spec: {}, evaluation: null })
      const execution = await store.createExecution({ jobId: job.id, nodeId: 'n-1', state: 'BidAccepted' })
      return { jobId: job.id, executionId: execution.id }
    }),
  )
  for (let round = 0; round < 3; round += 1) {
    const others = await fill(store)
    if (round === 0) {
      // All at once: one that does not fit beside the others must not be refused for their size.
      await Promise.all(
        services.map(({ jobId }) =>
          store.transitionJob({ jobId, to: 'Stopped', evaluation: { trigger: 'job-cancel' } }),
        ),
      )
      await stopWhatRuns(store)
      const messages = await store.readOutbox({ destination: 'n-1' })
      expect(messages).toHaveLength(SERVICES)
      await Promise.all(
        services.map(({ executionId }) =>
          store.recordExecution({ executionId, nodeId: 'n-1', computeRevision: 5, to: 'Cancelled' }),
        ),
      )
      const upToSequence = messages.at(-1)?.sequence ?? 0
      await store.acknowledgeOutbox({ destination: 'n-1', upToSequence })
    } else {
      await stopWhatRuns(store)
    }
    await Promise.all(others.map((jobId) => store.transitionJob({ jobId, to: 'Stopped' })))
    await Promise.all(others.map((jobId) => store.deleteJob({ jobId })))
    while ((await store.reclaim()).more);
    await store.submitJob({ type: 'batch', spec: { padding: 'x'.repeat(100_000) } })
  }
  expect((await store.check()).findings).toEqual([])
})

test('a store of executions with a small quota takes hundreds, and new ones when they were removed', async () => {
  for (const quotaBytes of (IS_LONG ? [5, 5.5, 6] : [5.5]).map((mebibytes) => mebibytes * MEBIBYTE)) {
    const path = join(temporaryDirectory(), 'executions.db')
    const store = await openLmdbExecutionStore({ path, quotaBytes })
    const create = async (id: string): Promise<void> => {
      await store.createExecution({ id, job: JOB, requesterId: 'n-1', requestId: `create-${id}` })
    }
    const end = async (executionId: string): Promise<void> => {
      await store.updateExecution({ executionId, to: 'Cancelled', requestId: `end-${executionId}` })
    }
    const services = Array.from({ length: SERVICES }, (_, number) => `service-${number}`)
    for (const id of services) await create(id)
    const ended: string[] = []
    try {
      for (; ; ended.push(`batch-${ended.length}`)) {
        await create(`batch-${ended.length}`)
        await end(`batch-${ended.length}`)
      }
    } catch (error) {
      if (!isStoreError(error, 'STORE_FULL')) throw error
    }
    expect(ended.length).toBeGreaterThan(100)
    for (const id of services) await end(id)
    for (const executionId of [...services, ...ended]) await store.deleteExecution({ executionId })
    while ((await store.reclaim()).more);
    await create('last')
    await store.close()
  }
})
