import assert from 'node:assert/strict'
import { expect, test, vi } from 'vitest'
import { noopJob, startTestNode } from '../node-fixture.ts'

// Stores on a backend that tells nothing of its sizes.
vi.mock(import('@saltcod/store-memory'), async (original) => {
  const actual = await original()
  const withoutSizes = <S extends { readonly capabilities: object }>(store: S): S => {
    Object.defineProperty(store, 'capabilities', { value: { durable: false } })
    return store
  }
  return {
    ...actual,
    openMemoryJobStore: async (options) => withoutSizes(await actual.openMemoryJobStore(options)),
    openMemoryExecutionStore: async (options) => withoutSizes(await actual.openMemoryExecutionStore(options)),
  } as typeof actual
})

test('a node whose backend tells no sizes answers all else, and shows no size', async () => {
  const node = await startTestNode()
  await node.until(await node.submit(noopJob()), 'Completed')
  const metrics = await (await fetch(`${node.url}/metrics`)).text()
  const samples = metrics.split('\n').filter((line) => !line.startsWith('#'))
  assert.ok(samples.some((line) => line.startsWith('saltcod_store_sequence{store="jobs"}')))
  expect(samples.filter((line) => /_bytes\{store=|_dead_share|NaN/.test(line))).toEqual([])

  const { body } = await node.request<{ readonly Nodes: readonly { readonly Info: { NodeID: string } }[] }>(
    'GET',
    '/api/v1/orchestrator/nodes',
  )
  const id = body.Nodes[0]?.Info.NodeID
  for (const path of [`orchestrator/nodes/${id}`, 'agent/node', 'agent/alive', 'saltcod/compact'])
    expect([path, (await node.request('GET', `/api/v1/${path}`)).status]).toEqual([path, 200])
})
