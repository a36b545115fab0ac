import assert from 'node:assert/strict'
import { StoreError } from '@saltcod/store-core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { LINK_LIMITS } from '../../src/link/limits.ts'
import type { Chunk, Delivery, Handshake, LogPart, OpenChunks, Report } from '../../src/link/link.ts'
import { makeNode } from '../requester/scheduler/world.ts'
import { PLAYED_STORE, PlayedRequester } from './played-requester.ts'
import { TRANSPORTS } from './transports.ts'

const NODE = 'n-1'
const NEVER = new AbortController().signal
const LOG = { kind: 'log', executionId: 'e-1', follow: true, tail: false, from: null } as const

function hello(): Handshake {
  const { description, load } = makeNode(NODE)
  const executions = [{ executionId: 'e-1', state: 'Running', revision: 3 }] as const
  return { node: description, load, store: PLAYED_STORE, executions }
}

function cancel(sequence: number): Delivery {
  return {
    sequence,
    command: { kind: 'cancel', executionId: 'e-1', reason: 'not wanted', endReason: 'stopped' },
  }
}

function report(revision: number): Report {
  return { executionId: 'e-1', revision, state: 'Running', patch: { runOutput: { exitCode: 0 } } }
}

function line(number: number): LogPart {
  return { stream: 'stdout', text: `${number}\n`, position: { attempt: 1, stdout: number, stderr: 0 } }
}

/** Of which not many are on their way. */
const LONG = 'x'.repeat(64 * 1024)

/** Yields lines without an end, until nobody wants more. */
function endless(): {
  readonly open: OpenChunks
  readonly made: () => number
  readonly over: () => boolean
} {
  let made = 0
  let over = false
  return {
    async *open(signal) {
      try {
        while (!signal.aborted) {
          made += 1
          yield { ...line(made), text: LONG }
          await Promise.resolve()
        }
      } finally {
        over = true
      }
    },
    made: () => made,
    over: () => over,
  }
}

describe.each(Object.entries(TRANSPORTS))('a link %s', (_, join) => {
  async function start(beginMs?: number) {
    const requester = new PlayedRequester(beginMs)
    const joined = await join(requester)
    onTestFinished(() => {
      joined.loseNode()
      joined.loseRequester()
    })
    const { link } = joined
    /** Has the node supply the next demand. */
    const supply = async (open: OpenChunks, signal: AbortSignal = NEVER): Promise<void> => {
      const [demand] = await link.demands({ nodeId: NODE, afterNumber: 0, waitMs: 60_000 }, NEVER)
      assert.ok(demand !== undefined)
      await link.supply({ nodeId: NODE, number: demand.number }, open, signal)
    }
    return { requester, ...joined, supply }
  }

  it('carries a handshake as a copy, and nothing that is no data', async () => {
    const { requester, link } = await start()
    requester.answers = { 'e-1': 'continue' }
    const said = hello()
    assert.deepEqual(await link.handshake(said), { store: PLAYED_STORE, answers: { 'e-1': 'continue' } })
    assert.deepEqual(requester.heard, [said])
    assert.notEqual(requester.heard[0], said)
    const listening = { ...hello(), listener: () => undefined }
    await assert.rejects(link.handshake(listening), /could not be cloned/)
    assert.equal(requester.heard.length, 1)
    requester.answers = { 'e-1': (() => undefined) as never }
    await assert.rejects(link.handshake(said), /could not be cloned/)
  })

  it('throws at one end what the other end throws', async () => {
    const { requester, link } = await start()
    const full = { id: 'e-1', expected: ['a', 'b'], hint: 'make room' } as const
    requester.trouble = new StoreError('STORE_FULL', 'no room', full)
    const told = await link.handshake(hello()).catch((error: unknown) => error)
    assert.deepEqual(told, requester.trouble)
    requester.trouble = Object.assign(new Error('no such file'), { code: 'ENOENT', syscall: 'open' })
    await expect(link.handshake(hello())).rejects.toMatchObject({ message: 'no such file', code: 'ENOENT' })
  })

  it('waits for commands, and no longer than it shall', async () => {
    const { requester, link } = await start()
    const ask = (afterSequence: number, waitMs: number, signal = NEVER) =>
      link.poll({ nodeId: NODE, afterSequence, limit: 10, waitMs }, signal)
    assert.deepEqual(await ask(0, 1), [])
    const coming = ask(0, 60_000)
    await eventually('the poll waits', () => requester.waiting === 1)
    requester.send(cancel(7))
    assert.deepEqual(await coming, [cancel(7)])
    const stop = new AbortController()
    const stopped = ask(7, 60_000, stop.signal)
    await eventually('the poll waits', () => requester.waiting === 1)
    stop.abort()
    assert.deepEqual(await stopped, [])
    await eventually('the requester waits no more', () => requester.waiting === 0)
    assert.deepEqual(await ask(0, 60_000, stop.signal), [])
    requester.send(cancel(8))
    assert.deepEqual(await ask(7, 60_000), [cancel(8)])
  })

  it('hands over reports, acknowledgements and heartbeats in their order', async () => {
    const { requester, link } = await start()
    const numbers = Array.from({ length: 30 }, (_unused, index) => index + 1)
    const answers: unknown[] = []
    for (const revision of numbers)
      answers.push(await link.report({ nodeId: NODE, reports: [report(revision)] }))
    const stale = numbers.slice(1).map(() => ['stale'])
    assert.deepEqual(answers, [['applied'], ...stale])
    await link.acknowledge({ nodeId: NODE, upToSequence: 5 })
    await link.heartbeat({ nodeId: NODE, load: makeNode(NODE).load, sequence: 12 })
    assert.deepEqual(requester.heard, [
      ...numbers.map((revision) => ({ nodeId: NODE, reports: [report(revision)] })),
      { nodeId: NODE, upToSequence: 5 },
      { nodeId: NODE, load: makeNode(NODE).load, sequence: 12 },
    ])
  })

  it('runs ahead of a reader who is slow by little, and ends when that reads no more', async () => {
    const { requester, supply, ahead } = await start()
    const log = endless()
    const supplied = supply(log.open)
    let read = 0
    for await (const part of requester.wanted.read(NODE, LOG, NEVER)) {
      read += 1
      assert.deepEqual(part.position, line(read).position)
      await new Promise((resolve) => setTimeout(resolve, 1))
      assert.ok(log.made() <= read + ahead, `${log.made()} were made, ${read} were read`)
      if (read === 100) break
    }
    await supplied
    assert.ok(log.over())
  })

  it('delivers what is written slowly as it is written', async () => {
    const { requester, supply } = await start()
    const seen: Chunk[] = []
    const supplied = supply(async function* () {
      for (const number of [1, 2, 3]) {
        yield line(number)
        await eventually('it is read', () => seen.length === number)
      }
    })
    for await (const part of requester.wanted.read(NODE, LOG, NEVER)) seen.push(part)
    assert.deepEqual(seen, [line(1), line(2), line(3)])
    await supplied
  })

  it('stops at once, and without an error, where the reader gives up while nothing comes', async () => {
    const { requester, supply } = await start()
    const gone = new AbortController()
    let unwanted: AbortSignal | undefined
    const supplied = supply(async function* (signal) {
      unwanted = signal
      yield line(1)
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    })
    const parts: Chunk[] = []
    for await (const part of requester.wanted.read(NODE, LOG, gone.signal)) {
      parts.push(part)
      setImmediate(() => gone.abort())
    }
    assert.deepEqual(parts, [line(1)])
    await supplied
    assert.ok(unwanted?.aborted)
  })

  it('tells the reader what the node throws, behind what came before', async () => {
    const { requester, supply } = await start()
    const supplied = supply(async function* () {
      yield line(1)
      await Promise.resolve()
      throw new StoreError('EXECUTION_NOT_FOUND', 'this node has no such execution', { id: 'e-1' })
    })
    const reading = requester.wanted.read(NODE, LOG, NEVER)
    assert.deepEqual((await reading.next()).value, line(1))
    await expect(reading.next()).rejects.toMatchObject({
      code: 'EXECUTION_NOT_FOUND',
      details: { id: 'e-1' },
    })
    await supplied
  })

  it('tells the reader where the node breaks off, however slowly that reads', async () => {
    const { requester, supply } = await start()
    const stop = new AbortController()
    const log = endless()
    const supplied = supply(log.open, stop.signal)
    const reading = requester.wanted.read(NODE, LOG, NEVER)
    assert.deepEqual((await reading.next()).value?.position, line(1).position)
    stop.abort()
    await supplied
    assert.ok(log.over())
    const rest = async (): Promise<void> => {
      for await (const part of reading) assert.equal(part.stream, 'stdout')
    }
    await expect(rest()).rejects.toMatchObject({ code: 'LINK_CLOSED' })
  })

  it('opens nothing that nobody wants, and waits not for ever for a node that does not begin', async () => {
    const { requester, link } = await start(100)
    const open: OpenChunks = () => {
      throw new Error('nobody wants it')
    }
    await link.supply({ nodeId: NODE, number: 17 }, open, NEVER)
    const reading = requester.wanted.read('n-2', LOG, NEVER).next()
    // Looked at from here on: it may end before the rest is done.
    const silent = expect(reading).rejects.toMatchObject({ code: 'LINK_SILENT' })
    assert.equal((await link.demands({ nodeId: NODE, afterNumber: 0, waitMs: 1 }, NEVER)).length, 0)
    await link.supply({ nodeId: NODE, number: 1 }, open, NEVER)
    await silent
  })

  it('brings bytes as they are, each chunk alone', async () => {
    const { requester, supply } = await start()
    const all = Buffer.from(Array.from({ length: 100_000 }, (_unused, index) => index % 251))
    const [from, to] = [1_000, 90_001]
    const supplied = supply(async function* () {
      for (let at = from; at < to; at += 7_000) yield all.subarray(at, Math.min(at + 7_000, to))
      await Promise.resolve()
    })
    const demand = { kind: 'results', executionId: 'e-1', tag: 'a', from, to } as const
    const read: Uint8Array[] = []
    for await (const chunk of requester.wanted.read(NODE, demand, NEVER)) read.push(chunk)
    await supplied
    assert.ok(Buffer.concat(read).equals(all.subarray(from, to)))
    for (const { byteLength, buffer } of read) assert.equal(buffer.byteLength, byteLength)
  })

  it('describes an archive, or says that there is none', async () => {
    const { requester, link } = await start()
    const archives = [{ bytes: 12, tag: 'abc' }, null]
    for (const [index, archive] of archives.entries()) {
      const described = requester.wanted.archiveOf(NODE, 'e-1', NEVER)
      const [demand] = await link.demands({ nodeId: NODE, afterNumber: index, waitMs: 60_000 }, NEVER)
      assert.deepEqual(demand, { kind: 'archive', executionId: 'e-1', number: index + 1 })
      const open: OpenChunks = async function* () {
        await Promise.resolve()
        if (archive !== null) yield archive
      }
      await link.supply({ nodeId: NODE, number: index + 1 }, open, NEVER)
      assert.deepEqual(await described, archive)
    }
  })

  it.each(['loseNode', 'loseRequester'] as const)('ends everything at both ends after %s', async (loss) => {
    const { requester, link, supply, ...joined } = await start()
    const polling = link.poll({ nodeId: NODE, afterSequence: 0, limit: 1, waitMs: 60_000 }, NEVER)
    const log = endless()
    const supplied = supply(log.open)
    const reading = requester.wanted.read(NODE, LOG, NEVER)
    await reading.next()
    await eventually('the poll waits', () => requester.waiting === 1)
    const ends = [polling, supplied].map((end) => expect(end).rejects.toMatchObject({ code: 'LINK_CLOSED' }))
    joined[loss]()
    await Promise.all(ends)
    const rest = async (): Promise<void> => {
      for await (const part of reading) assert.equal(part.stream, 'stdout')
    }
    await expect(rest()).rejects.toMatchObject({ code: 'LINK_CLOSED' })
    await eventually('the requester waits no more', () => requester.waiting === 0)
    assert.ok(log.over())
    await expect(link.handshake(hello())).rejects.toMatchObject({ code: 'LINK_CLOSED' })
  })

  it('refuses what is too large', async () => {
    const { requester, link, supply } = await start()
    const poll = { nodeId: NODE, afterSequence: 0, limit: 1, waitMs: 1 }
    const tooLarge = { code: 'LINK_LIMIT' }
    const { commands, reports, waitMs, chunk } = LINK_LIMITS
    await expect(link.poll({ ...poll, limit: commands + 1 }, NEVER)).rejects.toMatchObject(tooLarge)
    await expect(link.poll({ ...poll, waitMs: waitMs + 1 }, NEVER)).rejects.toMatchObject(tooLarge)
    const late = link.demands({ nodeId: NODE, afterNumber: 0, waitMs: waitMs + 1 }, NEVER)
    await expect(late).rejects.toMatchObject(tooLarge)
    const many = Array.from({ length: reports + 1 }, () => report(1))
    await expect(link.report({ nodeId: NODE, reports: many })).rejects.toMatchObject(tooLarge)
    assert.deepEqual(requester.heard, [])
    const supplied = supply(async function* () {
      yield line(1)
      await Promise.resolve()
      yield { ...line(2), text: 'x'.repeat(chunk + 1) }
    })
    const reading = requester.wanted.read(NODE, LOG, NEVER)
    assert.deepEqual((await reading.next()).value, line(1))
    await expect(reading.next()).rejects.toMatchObject(tooLarge)
    await supplied
  })
})
