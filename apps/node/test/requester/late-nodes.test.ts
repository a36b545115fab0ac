import assert from 'node:assert/strict'
import type { JobSpec } from '@saltcod/bacalhau-records'
import { EXECUTION_MACHINE, type Execution } from '@saltcod/store-core'
import { openMemoryJobStore } from '@saltcod/store-memory'
import { test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { reconsiderWork } from '../../src/requester/node-work.ts'
import type { Requester } from '../../src/requester/requester.ts'
import type { Store } from './played-node.ts'
import { greet, report, start } from './played-node.ts'
import { makeSpec } from './scheduler/world.ts'

const TYPES = ['daemon', 'ops'] as const

/** A job of each type that runs on every node. */
async function submitAll(store: Store): Promise<readonly string[]> {
  const jobs = TYPES.map((type) => store.submitJob({ type, count: 0, spec: makeSpec() }))
  return (await Promise.all(jobs)).map(({ job }) => job.id)
}

async function live(store: Store, jobId: string): Promise<readonly Execution[]> {
  const { items } = await store.listExecutions({ jobId })
  return items.filter(({ state }) => !EXECUTION_MACHINE.terminal.has(state))
}

/** Waits until each job has one execution on each node, and no other; makes sure that it stays so. */
async function areOn(store: Store, jobIds: readonly string[], ...nodeIds: readonly string[]): Promise<void> {
  const nodesOf = async (jobId: string): Promise<readonly string[]> =>
    (await live(store, jobId)).map(({ nodeId }) => nodeId).toSorted()
  for (const jobId of jobIds) {
    await eventually(
      `${jobId} is on ${nodeIds.join()}`,
      async () => `${await nodesOf(jobId)}` === `${nodeIds}`,
    )
    const { id } = await store.createEvaluation({ jobId, trigger: 'exec-update' })
    await eventually('it was looked at', async () => (await store.getEvaluation(id))?.status === 'complete')
    assert.deepEqual(await nodesOf(jobId), nodeIds)
  }
}

/** A node that has what it was given comes again. */
async function greetAgain(requester: Requester, store: Store, jobIds: readonly string[], nodeId: string) {
  const there = (await Promise.all(jobIds.map((jobId) => live(store, jobId)))).flat()
  const named = there
    .filter((execution) => execution.nodeId === nodeId)
    .map(({ id, computeRevision }) => ({
      executionId: id,
      state: 'Running' as const,
      revision: Math.max(computeRevision, 2),
    }))
  await greet(requester, nodeId, named)
}

test('what runs on every node is on each that comes later once, also after a restart, a drain and a deletion', async () => {
  const store = await openMemoryJobStore<JobSpec>()
  const first = start(store)
  const jobIds = await submitAll(store)
  await greet(first, 'n-1')
  await areOn(store, jobIds, 'n-1')
  await greet(first, 'n-2')
  await areOn(store, jobIds, 'n-1', 'n-2')
  for (const execution of (await Promise.all(jobIds.map((jobId) => live(store, jobId)))).flat()) {
    const { id: executionId, nodeId } = execution
    await report(first, nodeId, { executionId, revision: 2, state: 'Running' })
  }
  await first.stop()

  const second = start(store)
  for (const nodeId of ['n-2', 'n-1', 'n-3']) await greetAgain(second, store, jobIds, nodeId)
  await areOn(store, jobIds, 'n-1', 'n-2', 'n-3')

  const [daemon = '', ops = ''] = jobIds
  const { membership } = second.context
  const decide = async (nodeId: string, scheduling: 'on' | 'drained') => {
    await membership.decide(nodeId, { scheduling })
    if (scheduling === 'drained') await reconsiderWork(second.context, { nodeId })
  }
  await decide('n-2', 'drained')
  await areOn(store, [daemon], 'n-1', 'n-3')
  // What comes to an end may.
  await areOn(store, [ops], 'n-1', 'n-2', 'n-3')
  await decide('n-2', 'on')
  await areOn(store, jobIds, 'n-1', 'n-2', 'n-3')

  await membership.delete('n-3')
  await reconsiderWork(second.context, { nodeId: 'n-3' })
  await areOn(store, jobIds, 'n-1', 'n-2')
  await greet(second, 'n-3')
  await areOn(store, [daemon], 'n-1', 'n-2', 'n-3')
})

test('a node gets what runs everywhere by a label that it is given, and none that a job does not want', async () => {
  const store = await openMemoryJobStore<JobSpec>()
  const requester = start(store)
  await greet(requester, 'n-1')
  await greet(requester, 'n-2')
  const spec = { ...makeSpec(), Constraints: [{ Key: 'disk', Operator: '=' as const, Values: ['fast'] }] }
  const { job } = await store.submitJob({ type: 'daemon', count: 0, spec })
  await areOn(store, [job.id])
  await requester.context.membership.decide('n-2', { labels: { disk: 'fast' } })
  await areOn(store, [job.id], 'n-2')
})
