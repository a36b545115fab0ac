import type { ComputeExecution, ComputeState, ExecutionStore, JobType } from '@saltcod/store-core'
import { openMemoryExecutionStore } from '@saltcod/store-memory'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  applyRecovery,
  planRecovery,
  RECOVERY_TOPIC,
  type RecoveryDecision,
  type RecoveryPage,
  recoveryPolicy,
} from '../src/index.ts'
import { executionIn } from './execution-fixture.ts'

const PATHS: { readonly [State in ComputeState]?: readonly ComputeState[] } = {
  Created: [],
  BidAccepted: ['BidAccepted'],
  Running: ['BidAccepted', 'Running'],
  Publishing: ['BidAccepted', 'Running', 'Publishing'],
  Completed: ['BidAccepted', 'Running', 'Completed'],
  Failed: ['BidAccepted', 'Failed'],
  Cancelled: ['Cancelled'],
}
const REACHABLE = Object.keys(PATHS) as ComputeState[]

async function put(
  store: ExecutionStore,
  id: string,
  state: ComputeState,
  type: JobType = 'batch',
  rerunnable = false,
): Promise<void> {
  await store.createExecution({ id, job: executionIn(state, type).job, requesterId: 'requester', rerunnable })
  for (const to of PATHS[state] ?? []) await store.updateExecution({ executionId: id, to })
}

async function everything(store: ExecutionStore): Promise<readonly ComputeExecution[]> {
  return (await store.listExecutions({ limit: 1_000 })).items
}

async function decisionsOf(plan: AsyncIterable<RecoveryPage>): Promise<RecoveryDecision[]> {
  const decisions: RecoveryDecision[] = []
  for await (const page of plan) decisions.push(...page.decisions)
  return decisions
}

describe('planRecovery', () => {
  it('finds everything that has not ended, page by page, and writes nothing', async () => {
    const store = await openMemoryExecutionStore()
    for (const state of REACHABLE) for (let n = 0; n < 5; n += 1) await put(store, `e-${state}-${n}`, state)
    const before = (await store.info()).sequence
    const pages: RecoveryPage[] = []
    for await (const page of planRecovery(store, recoveryPolicy(), { pageSize: 3 })) pages.push(page)
    expect(Math.max(...pages.map(({ decisions }) => decisions.length))).toBeLessThanOrEqual(3)
    const states = pages.flatMap(({ decisions }) => decisions.map(({ state }) => state)).sort()
    expect(states).toEqual(
      ['BidAccepted', 'Created', 'Publishing', 'Running'].flatMap((s) => Array(5).fill(s)),
    )
    expect((await store.info()).sequence).toBe(before)
    await store.close()
  })
})

describe('applyRecovery', () => {
  it('fails what was interrupted, and writes the reason and the report with it', async () => {
    const store = await openMemoryExecutionStore()
    await put(store, 'e-1', 'Running')
    const summary = await applyRecovery(store, planRecovery(store, recoveryPolicy()), {
      outbox: ({ executionId }, { revision }) => [
        { destination: 'requester', body: { executionId, revision } },
      ],
    })
    expect(summary).toMatchObject({ actions: { fail: 1 }, changed: 0, failed: 0 })
    const execution = await store.getExecution('e-1')
    expect(execution).toMatchObject({
      state: 'Failed',
      stateMessage: 'Failed after a restart of the node: interrupted',
    })
    const [row] = await store.readOutbox({ destination: 'requester' })
    expect(row?.body).toEqual({ executionId: 'e-1', revision: execution?.revision })
    const last = (await store.listHistory({ executionId: 'e-1', reverse: true, limit: 1 })).items[0]
    expect(last?.event).toMatchObject({
      topic: RECOVERY_TOPIC,
      details: { action: 'fail', reason: 'interrupted', rule: 'preset resume: Running/batch' },
    })
    await store.close()
  })

  it('gives what it fails a reason as data, whatever the words of the policy are', async () => {
    const store = await openMemoryExecutionStore({ clock: () => 1_000 })
    await put(store, 'e-1', 'Running')
    await put(store, 'e-2', 'BidAccepted')
    const policy = recoveryPolicy({
      cells: { Running: { batch: { action: 'fail', reason: 'too-old' } } },
      ageRules: [{ state: 'BidAccepted', olderThanMs: 5, action: 'fail', reason: 'interrupted' }],
    })
    const told: unknown[] = []
    await applyRecovery(store, planRecovery(store, policy, { nowMs: 2_000 }), {
      outbox: ({ executionId }, { endReason }) => {
        told.push([executionId, endReason])
        return []
      },
    })
    expect((await store.getExecution('e-1'))?.endReason).toBe('interrupted')
    expect((await store.getExecution('e-2'))?.endReason).toBe('too-old')
    expect(told.sort()).toEqual([
      ['e-1', 'interrupted'],
      ['e-2', 'too-old'],
    ])
    await store.close()
  })

  it('leaves the state of what goes on, notes why, and tells the caller', async () => {
    const store = await openMemoryExecutionStore()
    await put(store, 'e-1', 'BidAccepted')
    await put(store, 'e-2', 'Running', 'service')
    await put(store, 'e-3', 'Publishing')
    await put(store, 'e-4', 'Created')
    const applied: [string, string][] = []
    await applyRecovery(store, planRecovery(store, recoveryPolicy()), {
      onApplied: ({ executionId, action }) => applied.push([executionId, action]),
    })
    expect(applied.sort()).toEqual([
      ['e-1', 'requeue'],
      ['e-2', 'rerun'],
      ['e-3', 'publish'],
      ['e-4', 'admit'],
    ])
    expect((await everything(store)).map(({ state }) => state).sort()).toEqual([
      'BidAccepted',
      'Created',
      'Publishing',
      'Running',
    ])
    const last = (await store.listHistory({ executionId: 'e-2', reverse: true, limit: 1 })).items[0]
    expect(last?.event.message).toBe('Run again after a restart of the node: interrupted')
    await store.close()
  })

  it('gives what is kept a deadline', async () => {
    const store = await openMemoryExecutionStore({ clock: () => 1_000 })
    await put(store, 'e-1', 'Created')
    const policy = recoveryPolicy({ cells: { Created: { batch: 'keep' } }, keepForMs: 500 })
    await applyRecovery(store, planRecovery(store, policy, { nowMs: 1_000 }))
    expect(await store.nextDeadlineMs()).toBe(1_500)
    await applyRecovery(store, planRecovery(store, policy, { nowMs: 1_400 }))
    expect(await store.nextDeadlineMs()).toBe(1_500)
    await store.close()
  })

  it('gives what is left alone a deadline, and says so in its history', async () => {
    const store = await openMemoryExecutionStore({ clock: () => 1_000 })
    await put(store, 'e-1', 'Running')
    const policy = recoveryPolicy({ preset: 'expire', keepForMs: 500 })
    const reported: string[] = []
    const summary = await applyRecovery(store, planRecovery(store, policy, { nowMs: 1_000 }), {
      outbox: ({ executionId, action }) => {
        reported.push(`${executionId} ${action}`)
        return []
      },
    })
    expect(summary).toMatchObject({ actions: { none: 1 }, changed: 0, failed: 0 })
    expect(reported).toEqual(['e-1 none'])
    expect(await store.getExecution('e-1')).toMatchObject({ state: 'Running', deadlineAtMs: 1_500 })
    const last = (await store.listHistory({ executionId: 'e-1', reverse: true, limit: 1 })).items[0]
    expect(last?.event).toMatchObject({
      message: 'Left alone after a restart of the node: left-to-deadlines',
      details: { action: 'none', rule: 'preset expire: Running/batch' },
    })
    await store.close()
  })

  it('leaves alone what changed, ended or went since the plan was made', async () => {
    const store = await openMemoryExecutionStore()
    for (const id of ['e-1', 'e-2', 'e-3', 'e-4']) await put(store, id, 'Running')
    const decisions = await decisionsOf(planRecovery(store, recoveryPolicy()))
    await store.updateExecution({ executionId: 'e-1', patch: { runOutput: 'x' } })
    await store.updateExecution({ executionId: 'e-2', to: 'Completed' })
    await store.updateExecution({ executionId: 'e-3', to: 'Completed' })
    await store.deleteExecution({ executionId: 'e-3' })
    const summary = await applyRecovery(store, [{ decisions, quarantined: [] }])
    expect(summary).toMatchObject({ actions: { fail: 1 }, changed: 3, failed: 0 })
    expect((await store.getExecution('e-1'))?.state).toBe('Running')
    expect((await store.getExecution('e-2'))?.state).toBe('Completed')
    expect((await store.getExecution('e-4'))?.state).toBe('Failed')
    await store.close()
  })

  it('goes on behind what cannot be changed, and names it', async () => {
    const store = await openMemoryExecutionStore()
    for (const id of ['e-1', 'e-2', 'e-3']) await put(store, id, 'Running')
    const summary = await applyRecovery(store, planRecovery(store, recoveryPolicy()), {
      outbox: ({ executionId }) => {
        if (executionId === 'e-2') throw new Error('no report for this one')
        return []
      },
    })
    expect(summary).toMatchObject({
      actions: { fail: 2 },
      failed: 1,
      failures: [{ executionId: 'e-2', message: 'no report for this one' }],
    })
    await store.close()
  })

  it('passes on that the store is gone', async () => {
    const store = await openMemoryExecutionStore()
    await put(store, 'e-1', 'Running')
    const decisions = await decisionsOf(planRecovery(store, recoveryPolicy()))
    await store.close()
    await expect(applyRecovery(store, [{ decisions, quarantined: [] }])).rejects.toMatchObject({
      code: 'STORE_CLOSED',
    })
  })

  it('does the same plan once, touches nothing that ended, and leaves nothing to fail', async () => {
    const execution = fc.record({
      state: fc.constantFrom(...REACHABLE),
      type: fc.constantFrom('batch' as const, 'ops' as const, 'service' as const, 'daemon' as const),
      rerunnable: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(execution, { maxLength: 12 }), async (executions) => {
        const store = await openMemoryExecutionStore()
        for (const [n, { state, type, rerunnable }] of executions.entries()) {
          await put(store, `e-${n}`, state, type, rerunnable)
        }
        const ended = (await everything(store)).filter(({ finishedAtMs }) => finishedAtMs !== null)
        const decisions = await decisionsOf(planRecovery(store, recoveryPolicy()))
        const pages = [{ decisions, quarantined: [] }]
        const first = await applyRecovery(store, pages)
        expect(first).toMatchObject({ changed: 0, failed: 0 })
        const after = await everything(store)
        for (const record of ended) expect(after).toContainEqual(record)

        const second = await applyRecovery(store, pages)
        expect(second.changed).toBe(decisions.length)
        expect(await everything(store)).toEqual(after)

        const again = await decisionsOf(planRecovery(store, recoveryPolicy()))
        expect(again.filter(({ action }) => action === 'fail')).toEqual([])
        await store.close()
      }),
      { numRuns: 50 },
    )
  })
})
