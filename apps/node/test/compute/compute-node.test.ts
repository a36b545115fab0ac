import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionStore } from '@saltcod/store-core'
import { openMemoryExecutionStore } from '@saltcod/store-memory'
import { describe, expect, it } from 'vitest'
import { until } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import type { LogPart, LogPosition } from '../../src/link/link.ts'
import { processesWith } from '../chaos/job-processes.ts'
import { jobOf, NODE_ID, shellJob, startComputeSide } from './fixture.ts'
import { TestRequester } from './test-requester.ts'

async function setUp() {
  const store: ExecutionStore = await openMemoryExecutionStore()
  return { store, link: new TestRequester(), dataDir: temporaryDirectory() }
}

const noop = (more = {}) => jobOf('noop', more)

describe('a compute side', () => {
  it('is heard of as often as its requester needs, whatever it is set to itself', async () => {
    const { store, link, dataDir } = await setUp()
    await startComputeSide({ store, link, dataDir, settings: { heartbeatMs: 3_600_000 } })
    link.silentAfterMs = 100
    link.knowsNobody = true
    link.ask('e-1', noop())
    await until(
      () => link.heartbeats,
      (heartbeats) => heartbeats > 2,
    )
  })

  it('carries a job out, tells every step in order, and forgets no acknowledgement', async () => {
    const { store, link, dataDir } = await setUp()
    await startComputeSide({ store, link, dataDir })
    link.ask('e-1', shellJob('echo out; echo err >&2; exit 3'))
    const known = await until(
      () => link.known('e-1'),
      ({ state }) => state === 'Completed',
    )
    expect(known.runOutput).toMatchObject({
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'err\n',
      errorMessage: null,
    })
    expect(known.events.map(({ message }) => message)).toEqual([
      'Bid made',
      'Bid accepted',
      'Running',
      'Completed with exit code 3',
    ])
    await until(
      () => store.getExecution('e-1'),
      (record) => record?.acknowledgedRevision === record?.revision,
    )
    await until(
      () => store.readOutbox({ destination: 'requester' }),
      (rows) => rows.length === 0,
    )
    await until(
      () => link.pendingCommands,
      (pending) => pending === 0,
    )
    const record = await store.getExecution('e-1')
    expect(record).toMatchObject({ state: 'Completed', attempt: 1, revision: known.revision })
    expect(record?.process).toMatchObject({ pid: expect.any(Number), bootId: expect.any(String) })
    expect(existsSync(join(dataDir, 'work', 'e-1', 'root'))).toBe(false)
    expect(existsSync(join(dataDir, 'work', 'e-1'))).toBe(true)
    // Its requester has given it up since.
    for (const executionId of ['e-1', 'e-unknown']) link.send({ kind: 'forget', executionId })
    await until(
      () => link.pendingCommands,
      (pending) => pending === 0,
    )
    expect(await store.getExecution('e-1')).toBeNull()
    expect(existsSync(join(dataDir, 'work', 'e-1'))).toBe(false)
  })

  it('says once of what waits in its queue for what, and how many wait before it', async () => {
    const { store, link, dataDir } = await setUp()
    await startComputeSide({ store, link, dataDir })
    const resources = (CPU: string) => ({ task: { Resources: { CPU, Memory: '64mb', Disk: '', GPU: '' } } })
    link.ask('e-1', shellJob('sleep 600', resources('1.5')))
    await until(
      () => link.known('e-1'),
      ({ state }) => state === 'Running',
    )
    link.ask('e-2', jobOf('noop', {}, resources('1')))
    link.ask('e-3', jobOf('noop', {}, resources('2')))
    const waits = async (id: string): Promise<readonly string[]> => {
      const known = await until(
        () => link.known(id),
        ({ events }) => events.some(({ topic }) => topic === 'Queueing'),
      )
      return known.events.flatMap(({ topic, message }) => (topic === 'Queueing' ? [message ?? ''] : []))
    }
    expect(await waits('e-2')).toEqual([
      'It waits on its node: it asks for 1 CPU, and of 2 CPU there 0.5 CPU are free; it is the next one',
    ])
    expect(await waits('e-3')).toEqual([
      'It waits on its node: it asks for 2 CPU, and of 2 CPU there 0.5 CPU are free; 1 waits before it',
    ])
  })

  it('starts an approved execution without a further word', async () => {
    const { store, link, dataDir } = await setUp()
    await startComputeSide({ store, link, dataDir })
    link.ask('e-1', noop(), { approved: true })
    const known = await until(
      () => link.known('e-1'),
      ({ state }) => state === 'Completed',
    )
    expect(known.events[0]?.message).toBe('Running')
  })

  it('says of an execution that has to wait that it was taken on', async () => {
    const { store, link, dataDir } = await setUp()
    await startComputeSide({ store, link, dataDir })
    const whole = { task: { Resources: { CPU: '2', Memory: '', Disk: '', GPU: '' } } }
    link.ask('e-1', jobOf('noop', { DurationMs: 60_000 }, whole), { approved: true })
    await until(
      () => link.known('e-1'),
      ({ state }) => state === 'Running',
    )
    link.ask('e-2', jobOf('noop', {}, whole), { approved: true })
    const known = await until(
      () => link.known('e-2'),
      ({ state }) => state === 'BidAccepted',
    )
    expect(known.events.map(({ message }) => message)).toEqual(['Taken on'])
  })

  it('publishes results through Publishing', async () => {
    const { store, link, dataDir } = await setUp()
    await startComputeSide({ store, link, dataDir })
    const task = { Publisher: { Type: 'local', Params: {} }, ResultPaths: [{ Name: 'out', Path: '/out' }] }
    link.ask('e-1', shellJob('printf result > out/file', { task }))
    const known = await until(
      () => link.known('e-1'),
      ({ state }) => state === 'Completed',
    )
    expect(known.events.map(({ message }) => message)).toContain('Publishing')
    expect(known.publishedResult).toMatchObject({
      Type: 'local',
      Params: { NodeID: NODE_ID, ExecutionID: 'e-1' },
    })
    expect(readFileSync(join(dataDir, 'results', 'e-1', 'out', 'file'), 'utf8')).toBe('result')
  })

  it.each([
    ['an engine that it does not have', jobOf('docker', {}), 'no engine "docker"'],
    [
      'more than it has',
      jobOf('noop', {}, { task: { Resources: { CPU: '3', Memory: '', Disk: '', GPU: '' } } }),
      'cpu 3 of 2',
    ],
    [
      'a publisher',
      jobOf('noop', {}, { task: { Publisher: { Type: 'S3', Params: {} } } }),
      'no publisher "s3"',
    ],
    [
      'an input source',
      jobOf(
        'noop',
        {},
        {
          task: { InputSources: [{ Source: { Type: 'ipfs', Params: {} }, Alias: '', Target: '/in' }] },
        },
      ),
      'no input source "ipfs"',
    ],
    ['parameters that mean nothing', jobOf('noop', { DurationMs: -1 }), 'DurationMs'],
    ['a specification without a task', { ...noop(), spec: { Tasks: [] } }, 'no task'],
  ])('refuses %s', async (_name, job, reason) => {
    const { store, link, dataDir } = await setUp()
    await startComputeSide({ store, link, dataDir })
    link.ask('e-1', job)
    const known = await until(
      () => link.known('e-1'),
      ({ state }) => state === 'Failed',
    )
    expect(known.events.at(-1)).toMatchObject({
      message: expect.stringContaining(reason),
      details: { reason: 'refused' },
    })
    expect(await store.getExecution('e-1')).toBeNull()
  })

  it('refuses an id that leads out of its directory, and goes on', async () => {
    const { store, link, dataDir } = await setUp()
    await startComputeSide({ store, link, dataDir })
    link.ask('../../e-1', noop())
    link.send({ kind: 'cancel', executionId: '../x', reason: 'test' })
    link.ask('e-2', noop())
    await until(
      () => [link.known('../../e-1').state, link.known('e-2').state, link.pendingCommands],
      ([first, second, pending]) => first === 'Failed' && second === 'Completed' && pending === 0,
    )
  })

  it('fails an execution whose engine says so, and one that runs too long', async () => {
    const { store, link, dataDir } = await setUp()
    await startComputeSide({ store, link, dataDir, settings: { timeLimitsMs: { exec: 100 } } })
    link.ask('e-1', jobOf('noop', { FailMessage: 'it broke' }))
    link.ask('e-2', shellJob('sleep 60'))
    const first = await until(
      () => link.known('e-1'),
      ({ state }) => state === 'Failed',
    )
    expect(first.runOutput).toMatchObject({ errorMessage: 'it broke' })
    const second = await until(
      () => link.known('e-2'),
      ({ state }) => state === 'Failed',
    )
    expect(second.events.at(-1)).toMatchObject({ topic: 'Exec Timeout', details: { reason: 'timed-out' } })
  })

  it('cancels what waits, and what runs with all its processes', async () => {
    const { store, link, dataDir } = await setUp()
    await startComputeSide({ store, link, dataDir, settings: { maxRunning: 1 } })
    const mark = `sleep 61.${process.pid}`
    link.ask('e-1', shellJob(`echo on; ${mark}; echo never`))
    await until(
      () => link.known('e-1'),
      ({ state }) => state === 'Running',
    )
    const log = join(dataDir, 'work', 'e-1', 'stdout')
    // `Running` is committed before the program begins.
    await until(
      () => (existsSync(log) ? readFileSync(log, 'utf8') : ''),
      (text) => text.endsWith('\n'),
    )
    link.ask('e-2', noop())
    await until(
      () => link.known('e-2'),
      ({ state }) => state === 'BidAccepted',
    )
    link.send({ kind: 'cancel', executionId: 'e-2', reason: 'not needed' })
    await until(
      () => link.known('e-2'),
      ({ state }) => state === 'Cancelled',
    )
    link.send({ kind: 'cancel', executionId: 'e-1', reason: 'stopped by its user' })
    const known = await until(
      () => link.known('e-1'),
      ({ state }) => state === 'Cancelled',
    )
    expect(known.events.at(-1)?.message).toBe('stopped by its user')
    expect(known.endReason).toBe('stopped')
    expect((known.runOutput as { stdout: string }).stdout).toBe('on\n')
    expect(processesWith(mark.slice('sleep '.length))).toEqual([])
  })

  it('cancels a bid that was rejected', async () => {
    const { store, link, dataDir } = await setUp()
    link.acceptBids = false
    await startComputeSide({ store, link, dataDir })
    link.ask('e-1', noop())
    await until(
      () => link.known('e-1'),
      ({ state }) => state === 'Created',
    )
    link.send({ kind: 'bid-rejected', executionId: 'e-1', reason: 'another node is nearer' })
    const known = await until(
      () => link.known('e-1'),
      ({ state }) => state === 'Cancelled',
    )
    expect(known.events.at(-1)?.message).toBe('Bid rejected: another node is nearer')
  })

  it('takes a command that comes twice once', async () => {
    const { store, link, dataDir } = await setUp()
    await startComputeSide({ store, link, dataDir })
    const script = `echo run >> ${join(dataDir, 'runs')}`
    link.ask('e-1', shellJob(script))
    link.send({ kind: 'bid-accepted', executionId: 'e-1' })
    await until(
      () => link.known('e-1'),
      ({ state }) => state === 'Completed',
    )
    link.send({
      kind: 'ask-for-bid',
      executionId: 'e-1',
      job: shellJob(script),
      partition: null,
      approved: true,
      rerunnable: false,
      deadlineAtMs: null,
    })
    link.send({ kind: 'bid-accepted', executionId: 'e-1' })
    link.send({ kind: 'cancel', executionId: 'e-1', reason: 'late' })
    await until(
      () => link.pendingCommands,
      (pending) => pending === 0,
    )
    expect(link.known('e-1').state).toBe('Completed')
    expect(readFileSync(join(dataDir, 'runs'), 'utf8')).toBe('run\n')
  })

  it('says so when it is told of an execution that it does not have', async () => {
    const { store, link, dataDir } = await setUp()
    await startComputeSide({ store, link, dataDir })
    link.executions.set('e-lost', {
      state: 'BidAccepted',
      revision: 4,
      runOutput: null,
      publishedResult: null,
      events: [],
    })
    link.send({ kind: 'bid-accepted', executionId: 'e-lost' })
    const known = await until(
      () => link.known('e-lost'),
      ({ state }) => state === 'Failed',
    )
    expect(known.events.at(-1)?.message).toBe('This node has no such execution')
  })

  it('fails what is past its deadline, running or waiting', async () => {
    const { store, link, dataDir } = await setUp()
    await startComputeSide({ store, link, dataDir, settings: { maxRunning: 1 } })
    const deadlineAtMs = Date.now() + 300
    link.ask('e-1', shellJob('sleep 60'), { deadlineAtMs })
    link.ask('e-2', shellJob('sleep 60'), { deadlineAtMs })
    for (const id of ['e-1', 'e-2']) {
      const known = await until(
        () => link.known(id),
        ({ state }) => state === 'Failed',
      )
      expect(known.events.at(-1)).toMatchObject({ details: { reason: 'timed-out' } })
    }
  })

  it('serves more than it has room for, one after the other, and counts right', async () => {
    const { store, link, dataDir } = await setUp()
    const side = await startComputeSide({ store, link, dataDir, settings: { maxRunning: 3 } })
    const ids = Array.from({ length: 40 }, (_, n) => `e-${n}`)
    for (const id of ids) link.ask(id, jobOf('noop', { DurationMs: 5 }))
    await until(
      () => ids.filter((id) => link.known(id).state !== 'Completed').length,
      (left) => left === 0,
    )
    await until(
      () => side.load(),
      ({ runningExecutions }) => runningExecutions === 0,
    )
    expect(side.load()).toEqual({
      available: { cpu: 2, memoryBytes: 1e9, diskBytes: 1e9, gpu: 0 },
      runningExecutions: 0,
      enqueuedExecutions: 0,
      heldBack: 0,
    })
    expect((await store.check()).findings).toEqual([])
  })

  it('serves the output while it grows, and afterwards', async () => {
    const { store, link, dataDir } = await setUp()
    await startComputeSide({ store, link, dataDir })
    const gate = join(dataDir, 'gate')
    link.ask('e-1', shellJob(`echo one; while [ ! -e ${gate} ]; do sleep 0.02; done; echo two`))
    await until(
      () => link.known('e-1'),
      ({ state }) => state === 'Running',
    )
    const read = async (
      executionId: string,
      follow: boolean,
      from: LogPosition | null = null,
    ): Promise<LogPart[]> => {
      const parts: LogPart[] = []
      const demand = { kind: 'log', executionId, follow, tail: false, from } as const
      for await (const part of link.wanted.read(NODE_ID, demand, new AbortController().signal)) {
        parts.push(part)
        if (part.text === 'one\n') writeFileSync(gate, '')
      }
      return parts
    }
    const part = (text: string, stdout: number): LogPart => {
      return { stream: 'stdout', text, position: { attempt: 1, stdout, stderr: 0 } }
    }
    expect(await read('e-1', true)).toEqual([part('one\n', 4), part('two\n', 8)])
    expect(await read('e-1', false)).toEqual([part('one\ntwo\n', 8)])
    expect(await read('e-1', false, part('', 4).position)).toEqual([part('two\n', 8)])
    link.ask('e-2', noop())
    await until(
      () => link.known('e-2'),
      ({ state }) => state === 'Completed',
    )
    expect(await read('e-2', true)).toEqual([])
    await expect(read('e-none', false)).rejects.toMatchObject({ code: 'EXECUTION_NOT_FOUND' })
  })
})
