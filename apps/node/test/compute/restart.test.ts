import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onlyTask } from '@saltcod/bacalhau-records'
import {
  type ComputeState,
  type ExecutionJob,
  type ExecutionStore,
  JOB_TYPES,
  type ProcessIdentity,
} from '@saltcod/store-core'
import { openMemoryExecutionStore } from '@saltcod/store-memory'
import { describe, expect, it } from 'vitest'
import { until } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { type ExitRecord, writeExitRecord } from '../../src/compute/keeper/exit-record.ts'
import { isAlive } from '../../src/compute/keeper/leftover.ts'
import { bootId } from '../../src/compute/keeper/process-table.ts'
import { EngineRegistry } from '../../src/engines/engine-registry.ts'
import { ExecEngine } from '../../src/engines/exec/exec-engine.ts'
import { NoopEngine } from '../../src/engines/noop/noop-engine.ts'
import { DEFAULT_INPUT_POLICY } from '../../src/inputs/input-policy.ts'
import { stageWork } from '../../src/inputs/stage.ts'
import { jobOf, shellJob, startComputeSide } from './fixture.ts'
import { TestRequester } from './test-requester.ts'

const PATHS: { readonly [State in ComputeState]?: readonly ComputeState[] } = {
  BidAccepted: ['BidAccepted'],
  Running: ['BidAccepted', 'Running'],
  Publishing: ['BidAccepted', 'Running', 'Publishing'],
}

const noop = jobOf('noop', {})

/** A node that died: its store, its directory, and what its requester knows. */
async function afterDeath() {
  const store: ExecutionStore = await openMemoryExecutionStore()
  const link = new TestRequester()
  const dataDir = temporaryDirectory()
  const put = async (
    id: string,
    state: ComputeState,
    job: ExecutionJob = noop,
    more: { readonly rerunnable?: boolean; readonly process?: ProcessIdentity } = {},
  ): Promise<void> => {
    await store.createExecution({ id, job, requesterId: 'requester', rerunnable: more.rerunnable ?? false })
    for (const to of PATHS[state] ?? []) {
      const patch = to === 'Running' ? { attempt: 1, process: more.process ?? null } : {}
      await store.updateExecution({ executionId: id, to, patch })
    }
    link.executions.set(id, { state, revision: 1, runOutput: null, publishedResult: null, events: [] })
  }
  const ended = async (id: string, state: ComputeState) => {
    const known = await until(
      () => link.known(id),
      (execution) => execution.state === state,
    )
    expect((await store.getExecution(id))?.state).toBe(state)
    return known
  }
  return { store, link, dataDir, put, ended }
}

describe('a start with the preset resume', () => {
  it.each(JOB_TYPES)('goes on with a %s execution that was accepted or only asked for', async (type) => {
    const { store, link, dataDir, put, ended } = await afterDeath()
    await put('e-1', 'BidAccepted', jobOf('noop', {}, { type }))
    await put('e-2', 'Created', jobOf('noop', {}, { type }))
    await startComputeSide({ store, link, dataDir })
    await ended('e-1', 'Completed')
    expect((await store.getExecution('e-2'))?.state).toBe('Created')
    link.send({ kind: 'bid-accepted', executionId: 'e-2' })
    await ended('e-2', 'Completed')
  })

  it.each(['batch', 'ops'] as const)('fails an interrupted %s execution and says why', async (type) => {
    const { store, link, dataDir, put, ended } = await afterDeath()
    await put('e-1', 'Running', jobOf('noop', {}, { type }))
    await startComputeSide({ store, link, dataDir })
    const known = await ended('e-1', 'Failed')
    expect(known.events.at(-1)).toMatchObject({ topic: 'Recovery', details: { reason: 'interrupted' } })
    const history = (await store.listHistory({ executionId: 'e-1' })).items
    expect(history.at(-1)?.event.details).toMatchObject({ rule: `preset resume: Running/${type}` })
  })

  it.each(['service', 'daemon'] as const)('runs an interrupted %s execution again', async (type) => {
    const { store, link, dataDir, put, ended } = await afterDeath()
    await put('e-1', 'Running', jobOf('noop', {}, { type }))
    await startComputeSide({ store, link, dataDir })
    await ended('e-1', 'Completed')
    expect((await store.getExecution('e-1'))?.attempt).toBe(2)
  })

  it('runs an interrupted batch execution again where that does no harm', async () => {
    const { store, link, dataDir, put, ended } = await afterDeath()
    await put('e-1', 'Running', noop, { rerunnable: true })
    await startComputeSide({ store, link, dataDir })
    await ended('e-1', 'Completed')
    expect((await store.getExecution('e-1'))?.attempt).toBe(2)
  })

  it('publishes kept results again, and fails where they are gone', async () => {
    const { store, link, dataDir, put, ended } = await afterDeath()
    const job = jobOf('noop', {}, { task: { Publisher: { Type: 'local', Params: {} } } })
    await put('e-1', 'Publishing', job)
    await put('e-2', 'Publishing', job)
    mkdirSync(join(dataDir, 'results', 'e-1'), { recursive: true })
    writeFileSync(join(dataDir, 'results', 'e-1', 'stdout'), 'kept')
    await startComputeSide({ store, link, dataDir })
    const kept = await ended('e-1', 'Completed')
    expect(kept.publishedResult).toMatchObject({ Type: 'local', Params: { Files: 1, Bytes: 4 } })
    const lost = await ended('e-2', 'Failed')
    expect(lost.endReason).toBe('results-lost')
  })

  it('looks at an admission again, with the settings of now', async () => {
    const { store, link, dataDir, put, ended } = await afterDeath()
    await put('e-1', 'Created', shellJob('true'))
    const engines = new EngineRegistry([new NoopEngine(), new ExecEngine({ allowed: false })])
    await startComputeSide({ store, link, dataDir, settings: { engines } })
    const known = await ended('e-1', 'Failed')
    expect(known.events.at(-1)?.message).toContain('--allow-exec')
  })

  it('obeys an age rule', async () => {
    const { store, link, dataDir, put, ended } = await afterDeath()
    await put('e-1', 'BidAccepted')
    await new Promise((resolve) => setTimeout(resolve, 5))
    const ageRules = [{ state: 'BidAccepted', olderThanMs: 1, action: 'fail' }] as const
    await startComputeSide({ store, link, dataDir, recovery: { ageRules } })
    const known = await ended('e-1', 'Failed')
    expect(known.events.at(-1)).toMatchObject({ details: { reason: 'too-old' } })
  })
})

describe('a run that had ended when the node died', () => {
  const lateDeath = async (record: Partial<ExitRecord>) => {
    const death = await afterDeath()
    const { dataDir, put } = death
    const process = { pid: 2 ** 22 + 1, startTime: '1', bootId: bootId() }
    await put(
      'e-1',
      'Running',
      shellJob('echo out', { task: { Publisher: { Type: 'local', Params: {} } } }),
      {
        process,
      },
    )
    const workDir = join(dataDir, 'work', 'e-1')
    mkdirSync(join(workDir, 'root'), { recursive: true })
    writeFileSync(join(workDir, 'stdout'), 'out\n')
    writeExitRecord(workDir, {
      executionId: 'e-1',
      attempt: 1,
      reason: 'exited',
      exitCode: 7,
      signal: null,
      errorMessage: null,
      stdoutCapped: false,
      stderrCapped: false,
      startedAtMs: 1,
      endedAtMs: 2,
      ...record,
    })
    return death
  }

  it('is recorded as it ended, and not run again', async () => {
    const { store, link, dataDir, ended } = await lateDeath({})
    await startComputeSide({ store, link, dataDir })
    const known = await ended('e-1', 'Completed')
    expect(known.runOutput).toMatchObject({ exitCode: 7, stdout: 'out\n' })
    expect(known.publishedResult).toMatchObject({ Type: 'local' })
    expect(known.events.map(({ details }) => details?.['action'])).toContain('conclude')
    expect((await store.getExecution('e-1'))?.attempt).toBe(1)
  })

  it('is recorded as it ended whatever word the policy has for it, but not where it is too old', async () => {
    const { store, link, dataDir, ended } = await lateDeath({})
    const cells = { Running: { batch: { action: 'fail', reason: 'gone' } } } as const
    await startComputeSide({ store, link, dataDir, recovery: { cells } })
    await ended('e-1', 'Completed')
    const old = await lateDeath({})
    await new Promise((resolve) => setTimeout(resolve, 5))
    const ageRules = [{ state: 'Running', olderThanMs: 1, action: 'fail', reason: 'interrupted' }] as const
    await startComputeSide({ ...old, recovery: { ageRules } })
    const known = await old.ended('e-1', 'Failed')
    expect(known.endReason).toBe('too-old')
  })

  it.each([
    ['the node took it along', { reason: 'node-gone' }],
    ['a stop of the node ended it', { reason: 'cancelled' }],
    ['the record is of another attempt', { attempt: 0 }],
  ] as const)('counts as interrupted where %s', async (_name, record) => {
    const { store, link, dataDir, ended } = await lateDeath(record)
    await startComputeSide({ store, link, dataDir })
    const known = await ended('e-1', 'Failed')
    expect(known.events.at(-1)).toMatchObject({ details: { reason: 'interrupted' } })
  })

  it('is left alone where the policy does nothing', async () => {
    const { store, link, dataDir } = await lateDeath({})
    await startComputeSide({ store, link, dataDir, recovery: { preset: 'expire' } })
    expect((await store.getExecution('e-1'))?.state).toBe('Running')
  })
})

describe('a start with the preset expire', () => {
  it('starts nothing, and still obeys what the requester says', async () => {
    const { store, link, dataDir, put, ended } = await afterDeath()
    for (const state of ['Created', 'BidAccepted', 'Running', 'Publishing'] as const)
      await put(`e-${state}`, state)
    const side = await startComputeSide({ store, link, dataDir, recovery: { preset: 'expire' } })
    expect(side.load()).toMatchObject({ runningExecutions: 0, enqueuedExecutions: 0 })
    for (const state of ['Created', 'BidAccepted', 'Running', 'Publishing'] as const) {
      expect((await store.getExecution(`e-${state}`))?.state).toBe(state)
    }
    link.send({ kind: 'bid-accepted', executionId: 'e-Created' })
    await ended('e-Created', 'Completed')
    for (const state of ['BidAccepted', 'Running', 'Publishing']) {
      link.send({ kind: 'cancel', executionId: `e-${state}`, reason: 'stopped' })
      await ended(`e-${state}`, 'Cancelled')
    }
  })
})

describe('the handshake', () => {
  it('tells of everything that has not ended, and does what is answered', async () => {
    const { store, link, dataDir, put, ended } = await afterDeath()
    for (const id of ['e-go', 'e-stop', 'e-late', 'e-forget', 'e-silent']) await put(id, 'BidAccepted')
    link.answers.set('e-stop', 'stop')
    link.answers.set('e-late', 'stop')
    link.whyStopped['e-late'] = { reason: 'execution timed out', endReason: 'timed-out' }
    link.answers.set('e-forget', 'forget')
    const handshake = link.handshake.bind(link)
    link.handshake = async (request) => {
      const reply = await handshake(request)
      if ('refusal' in reply) return reply
      const { 'e-silent': _silent, ...answers } = reply.answers
      return { ...reply, answers }
    }
    await startComputeSide({ store, link, dataDir })
    expect(link.handshakes[0]?.map(({ executionId, state }) => [executionId, state]).sort()).toEqual(
      ['e-forget', 'e-go', 'e-late', 'e-silent', 'e-stop'].map((id) => [id, 'BidAccepted']),
    )
    expect(link.node).toMatchObject({ engines: ['exec', 'noop'], capacity: { cpu: 2 } })
    await ended('e-go', 'Completed')
    await ended('e-stop', 'Cancelled')
    await ended('e-late', 'Cancelled')
    expect(await store.getExecution('e-stop')).toMatchObject({ endReason: 'stopped' })
    expect(await store.getExecution('e-late')).toMatchObject({
      endReason: 'timed-out',
      stateMessage: 'No longer wanted: execution timed out',
    })
    expect((await store.getExecution('e-forget'))?.state).toBe('Cancelled')
    expect((await store.getExecution('e-silent'))?.state).toBe('BidAccepted')
  })

  it('is refused where the store of the other side is not the known one, by either of them', async () => {
    const { store, link, dataDir, put } = await afterDeath()
    await put('e-1', 'BidAccepted')
    const handshake = link.handshake.bind(link)
    link.handshake = () => Promise.resolve({ refusal: 'the execution store of n-1 is another one' })
    await expect(startComputeSide({ store, link, dataDir })).rejects.toMatchObject({
      message: expect.stringMatching(/^the execution store of n-1 is another one/),
      exitCode: 2,
    })
    link.handshake = handshake
    const openings = [{ id: 'i-1', firstSequence: 1 }]
    await store.setPeer({
      name: 'requester',
      storeId: 's',
      incarnation: 'i-1',
      firstSequence: 1,
      sequence: 9,
    })
    Object.defineProperty(store, 'capabilities', { value: { ...store.capabilities, durable: true } })
    link.store = { storeId: 's', durable: true, sequence: 8, openings }
    await expect(startComputeSide({ store, link, dataDir })).rejects.toMatchObject({
      message: expect.stringMatching(/^the job store of .* is an older copy .* change 8, .* come to 9/),
    })
    expect((await store.getExecution('e-1'))?.state).toBe('BidAccepted')
  })

  it('comes before any work, however long it takes', async () => {
    const { store, link, dataDir, put, ended } = await afterDeath()
    await put('e-1', 'Running', jobOf('noop', {}, { type: 'service' }))
    const before = (await store.info()).sequence
    let refused = 0
    const handshake = link.handshake.bind(link)
    link.handshake = async (request) => {
      expect((await store.info()).sequence).toBe(before)
      refused += 1
      if (refused < 3) throw new Error('not yet')
      return await handshake(request)
    }
    await startComputeSide({ store, link, dataDir })
    expect(refused).toBe(3)
    await ended('e-1', 'Completed')
  })
})

describe('a process that an earlier node left', () => {
  it('is dead before the handshake', async () => {
    const { store, link, dataDir, put, ended } = await afterDeath()
    const job = shellJob('sleep 60 & echo $!; wait')
    const workDir = join(dataDir, 'work', 'e-1')
    const signal = new AbortController().signal
    const work = await stageWork({ workDir, inputs: [], results: [], policy: DEFAULT_INPUT_POLICY, signal })
    const prepared = await new ExecEngine({ allowed: true, isolation: 'none' }).prepare(
      {
        executionId: 'e-1',
        attempt: 1,
        job: { id: 'j-1', namespace: 'default', type: 'batch' },
        task: onlyTask(job.spec as unknown as Parameters<typeof onlyTask>[0]),
        work,
        limits: { timeMs: null, memoryBytes: null, cpus: null, outputBytes: 1e6, logBytes: 1e6 },
        environment: {},
      },
      { signal },
    )
    if (prepared.process === null) throw new Error('exec has a process')
    const recorded = prepared.process
    const { pid, startTime, bootId } = recorded
    await put('e-1', 'Running', job, { process: { pid, startTime, bootId } })
    const over = prepared.go()
    const child = Number(
      await until(
        () => (existsSync(join(workDir, 'stdout')) ? readFileSync(join(workDir, 'stdout'), 'utf8') : ''),
        (text) => text.endsWith('\n'),
      ),
    )
    const handshake = link.handshake.bind(link)
    link.handshake = async (request) => {
      expect(isAlive(recorded)).toBe(false)
      expect(existsSync(`/proc/${child}`)).toBe(false)
      return await handshake(request)
    }
    await startComputeSide({ store, link, dataDir })
    expect(link.handshakes).toHaveLength(1)
    await ended('e-1', 'Failed')
    await over
  })
})

describe('a clean stop', () => {
  it('lets running work finish within its grace and begins nothing more', async () => {
    const { store, link, dataDir, put } = await afterDeath()
    const gate = join(dataDir, 'gate')
    const job = shellJob(`while [ ! -e ${gate} ]; do sleep 0.02; done`)
    await put('e-1', 'BidAccepted', job)
    await put('e-2', 'BidAccepted', job)
    const side = await startComputeSide({ store, link, dataDir, settings: { maxRunning: 1 } })
    await until(
      () => link.known('e-1').state === 'Running' || link.known('e-2').state === 'Running',
      (running) => running,
    )
    const stopped = side.stop(30_000)
    writeFileSync(gate, '')
    await stopped
    const states = ['e-1', 'e-2'].map((id) => link.known(id).state)
    expect(states.sort()).toEqual(['BidAccepted', 'Completed'])
  })

  it('kills what is not done in time, and leaves it to the next start', async () => {
    const { store, link, dataDir, put, ended } = await afterDeath()
    await put('e-1', 'BidAccepted', shellJob('sleep 60'))
    await put(
      'e-2',
      'BidAccepted',
      shellJob(`[ -e ${dataDir}/second ] || { touch ${dataDir}/second; sleep 60; }`, { type: 'service' }),
    )
    const side = await startComputeSide({ store, link, dataDir })
    await until(
      () => [link.known('e-1').state, link.known('e-2').state, existsSync(join(dataDir, 'second'))],
      ([first, second, begun]) => first === 'Running' && second === 'Running' && begun === true,
    )
    await side.stop(0)
    for (const id of ['e-1', 'e-2']) {
      const record = await store.getExecution(id)
      expect(record).toMatchObject({ state: 'Running', runOutput: null })
      expect(record?.process && isAlive({ ...record.process, pgid: record.process.pid })).toBe(false)
    }
    await startComputeSide({ store, link, dataDir })
    await ended('e-1', 'Failed')
    await ended('e-2', 'Completed')
    expect((await store.getExecution('e-2'))?.attempt).toBe(2)
  })
})
