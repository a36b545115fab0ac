import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ExecutionStore, LIVE_COMPUTE_STATES } from '@saltcod/store-core'
import { openLmdbExecutionStore } from '@saltcod/store-lmdb'
import { openMemoryExecutionStore } from '@saltcod/store-memory'
import { describe, expect, it, onTestFinished } from 'vitest'
import { until } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { EngineRegistry } from '../../src/engines/engine-registry.ts'
import { ExecEngine } from '../../src/engines/exec/exec-engine.ts'
import { mortal } from './crashing-store.ts'
import { shellJob, startComputeSide } from './fixture.ts'
import { TestRequester } from './test-requester.ts'

/** Writes down its begin and end, and whether another run of it lives at the same time. */
const script = (dataDir: string): string => `
  cd ${dataDir}
  if [ -e pid ] && kill -0 "$(cat pid)" 2>/dev/null; then echo two >> trouble; fi
  echo $$ > pid
  echo begin >> runs
  sleep 0.03
  echo end >> runs
  rm pid
`

/** A store, and how its successor's process finds it. */
interface Keeper {
  readonly store: ExecutionStore
  readonly reopen: () => Promise<ExecutionStore>
}

const BACKENDS = {
  memory: async (): Promise<Keeper> => {
    const store = await openMemoryExecutionStore()
    return { store, reopen: () => Promise.resolve(store) }
  },
  lmdb: async (dataDir: string): Promise<Keeper> => {
    const open = async (): Promise<ExecutionStore> => {
      const store = await openLmdbExecutionStore({ path: join(dataDir, 'executions.db') })
      onTestFinished(async () => await store.close())
      return store
    }
    const store = await open()
    const reopen = async (): Promise<ExecutionStore> => {
      await store.close()
      return await open()
    }
    return { store, reopen }
  },
} as const

/** Without namespaces of their own, so that runs of one job can see each other by their pids. */
function settings(): { readonly engines: EngineRegistry } {
  return { engines: new EngineRegistry([new ExecEngine({ allowed: true, isolation: 'none', graceMs: 200 })]) }
}

interface Scenario {
  readonly link: TestRequester
  readonly dataDir: string
}

/** Does what a scheduler does: an interrupted execution of a batch job is followed by another one. */
function reschedule({ link, dataDir }: Scenario, type: 'batch' | 'service'): string {
  const newest = [...link.executions.keys()].at(-1) ?? ''
  const { state, events } = link.known(newest)
  if (state !== 'Failed') return newest
  expect(events.at(-1)?.details).toMatchObject({ reason: 'interrupted' })
  return ask({ link, dataDir }, `e-${link.executions.size + 1}`, type)
}

function ask({ link, dataDir }: Scenario, id: string, type: 'batch' | 'service'): string {
  const task = { Publisher: { Type: 'local', Params: {} } }
  link.ask(id, shellJob(script(dataDir), { type, task }))
  return id
}

/** Runs a job on a node that dies at one write, then on its successor. Returns whether it died at all. */
async function liveAndDie(
  backend: keyof typeof BACKENDS,
  at: number,
  moment: 'before' | 'after',
  type: 'batch' | 'service',
): Promise<boolean> {
  const dataDir = temporaryDirectory()
  const keeper = await BACKENDS[backend](dataDir)
  const scenario = { link: new TestRequester(), dataDir }
  const { link } = scenario
  let store = keeper.store
  const first = mortal(store, link, at, moment)
  ask(scenario, 'e-1', type)
  const side = await startComputeSide({ store: first.store, link: first.link, dataDir, settings: settings() })
  const settled = async (): Promise<boolean> =>
    link.known('e-1').state === 'Completed' &&
    link.pendingCommands === 0 &&
    (await store.readOutbox({ destination: 'requester' })).length === 0
  await until(
    async () => first.dead() || (await settled()),
    (over) => over,
  )
  await side.stop(0)
  if (!first.dead()) return false

  store = await keeper.reopen()
  await startComputeSide({ store, link, dataDir, settings: settings() })
  await until(
    () => link.known(reschedule(scenario, type)).state,
    (state) => state === 'Completed',
  )
  await until(
    async () => link.pendingCommands + (await store.readOutbox({ destination: 'requester' })).length,
    (left) => left === 0,
  )
  const runs = readFileSync(join(dataDir, 'runs'), 'utf8')
  expect(existsSync(join(dataDir, 'trouble'))).toBe(false)
  expect(runs.endsWith('begin\nend\n')).toBe(true)
  for (const { id, state, acknowledgedRevision, revision } of (await store.listExecutions()).items) {
    expect(LIVE_COMPUTE_STATES.has(state)).toBe(false)
    expect(link.known(id).state).toBe(state)
    expect(acknowledgedRevision).toBe(revision)
  }
  if (type === 'service') expect(link.executions.size).toBe(1)
  expect((await store.check()).findings).toEqual([])
  return true
}

describe('a node that dies', () => {
  it.each([
    ['memory', 'batch', 'before'],
    ['memory', 'service', 'after'],
    ['lmdb', 'batch', 'after'],
  ] as const)(
    'on %s at any write of a %s job, %s it is durable, loses nothing and runs nothing twice at a time',
    async (backend, type, moment) => {
      let at = 1
      while (await liveAndDie(backend, at, moment, type)) at += 1
      // Creation, four states, acknowledgements.
      expect(at).toBeGreaterThan(7)
    },
  )
})
