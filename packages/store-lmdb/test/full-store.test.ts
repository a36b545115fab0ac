import { join } from 'node:path'
import { isStoreError, type JobStore } from '@saltcod/store-core'
import { expect, onTestFinished, test } from 'vitest'

import { openLmdbJobStore } from '../src/index.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const SERVICES = 30

/** Submits until the store refuses, with smaller and smaller specifications; resolves with the ids of what was taken. */
async function fill(store: JobStore): Promise<string[]> {
  const ids: string[] = []
  for (const bytes of [500_000, 50_000, 10]) {
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
