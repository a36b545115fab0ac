import { MessageChannel } from 'node:worker_threads'
import { describe, expect, it, onTestFinished, test } from 'vitest'
import { linkInProcess } from '../../src/link/in-process.ts'
import { LINK_LIMITS, withinLimits } from '../../src/link/limits.ts'
import type { Command, Handshake } from '../../src/link/link.ts'
import { roughBytes } from '../../src/link/message-size.ts'
import { PortLink } from '../../src/link/port-link.ts'
import { makeNode } from '../requester/scheduler/world.ts'
import { PLAYED_STORE, PlayedRequester } from './played-requester.ts'

const NEVER = new AbortController().signal
const POLL = { nodeId: 'n-1', afterSequence: 0, limit: 10, waitMs: 20 }

test('what is plain data is measured about as large as it is written', () => {
  for (const message of [
    {
      nodeId: 'n-1',
      reports: Array.from({ length: 100 }, (_, revision) => ({ executionId: 'e-1', revision })),
    },
    { text: 'x'.repeat(10_000), bytes: null, more: [true, 'y', { z: 1 }] },
    ['a', ['b', ['c']]],
  ]) {
    const written = JSON.stringify(message).length
    expect(roughBytes(message)).toBeGreaterThan(written / 2)
    expect(roughBytes(message)).toBeLessThan(written * 3)
  }
  expect(roughBytes(new Uint8Array(1_000))).toBe(1_000)
})

describe.each([
  [
    'in process',
    (requester: PlayedRequester) => {
      const { link, close } = linkInProcess(requester)
      onTestFinished(close)
      return link
    },
  ],
  ['before any transport', (requester: PlayedRequester) => withinLimits(requester)],
] as const)('%s', (_, join) => {
  it('refuses a message that HTTP would refuse for its size', async () => {
    const requester = new PlayedRequester()
    const link = join(requester)
    // The same text again and again: what counts is how much would be sent.
    const text = 'x'.repeat(1024 * 1024)
    const executions = Array.from({ length: 130 }, (_entry, at) => ({
      executionId: `${text}${at}`,
      state: 'Running' as const,
      revision: 1,
    }))
    const { description: node, load } = makeNode('n-1')
    const hello: Handshake = { node, load, store: PLAYED_STORE, executions }
    await expect(link.handshake(hello)).rejects.toMatchObject({ code: 'LINK_LIMIT' })
    const reports = executions.map(({ executionId }) => ({ executionId, revision: 1 }))
    await expect(link.report({ nodeId: 'n-1', reports })).rejects.toMatchObject({ code: 'LINK_LIMIT' })
    expect(requester.heard).toEqual([])
  })

  it('hands over as many commands at a time as fit into a message', async () => {
    const requester = new PlayedRequester()
    const link = join(requester)
    const reason = 'x'.repeat(LINK_LIMITS.messageBytes / 5)
    for (const sequence of [1, 2, 3, 4]) {
      const command: Command = { kind: 'cancel', executionId: `e-${sequence}`, reason }
      requester.send({ sequence, command })
    }
    const first = await link.poll(POLL, NEVER)
    expect(first.map(({ sequence }) => sequence)).toEqual([1, 2])
    const rest = await link.poll({ ...POLL, afterSequence: 2 }, NEVER)
    expect(rest.map(({ sequence }) => sequence)).toEqual([3, 4])
  })
})

test('a requester of the same process that does not answer is given up as one behind a network is', async () => {
  const { port1, port2 } = new MessageChannel()
  onTestFinished(() => port1.close())
  // Nobody serves the other end.
  const link = new PortLink(port2, 20)
  onTestFinished(() => link.close())
  const silent = { code: 'LINK_SILENT' }
  const heartbeat = { nodeId: 'n-1', load: makeNode('n-1').load, sequence: 1 }
  await expect(link.heartbeat(heartbeat)).rejects.toMatchObject(silent)
  await expect(link.poll({ ...POLL, waitMs: 1 }, NEVER)).rejects.toMatchObject(silent)
  let opened = false
  await link.supply(
    { nodeId: 'n-1', number: 1 },
    async function* () {
      opened = true
      yield await Promise.resolve(new Uint8Array())
    },
    NEVER,
  )
  expect(opened).toBe(false)
})
