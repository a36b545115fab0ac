import { expect, test } from 'vitest'
import {
  EXECUTION_STORE_OPERATIONS,
  JOB_STORE_OPERATIONS,
  type KvStore,
  openExecutionStore,
  openJobStore,
  STORE_TABLES,
} from '../packages/store-core/src/backend.ts'
import { type ExecutionStore, isStoreError, type JobStore } from '../packages/store-core/src/index.ts'
import {
  executionStoreSuite,
  jobStoreSuite,
  type StoreSuiteOptions,
} from '../packages/store-testing/src/index.ts'
import { oneIn } from './sampled-runner.ts'
import { IS_LONG } from './seed.ts'
import { WatchedOperations } from './watched-operations.ts'

/** A place of a backend: opens the same rows each time, where it keeps them. */
export interface OperationBackend {
  readonly name: string
  /** Returns how to open one fresh place; only for reading where that is asked for. */
  readonly place: () => (readOnly: boolean) => Promise<KvStore>
  readonly durable: boolean
  /** One case in so many is enough for a short run, as another backend has all of them. Default 1. */
  readonly every?: number
}

type Clock = () => number

const PEER = { name: 'n-other', storeId: 's', incarnation: 'i', firstSequence: 2, sequence: 5 }

/** How a kind of store is opened, filled, and read by each of its methods. */
interface Kind<Store> {
  readonly operations: Readonly<Record<string, 'read' | 'write'>>
  readonly suite: (options: StoreSuiteOptions<Store>) => void
  readonly open: (kv: KvStore, clock: Clock, steadyClock?: Clock) => Promise<Store>
  readonly fill: (store: Store) => Promise<void>
  /** A call of each method that is called a read. */
  readonly reads: (store: Store) => Readonly<Record<string, () => Promise<unknown>>>
}

const JOBS: Kind<JobStore> = {
  operations: JOB_STORE_OPERATIONS,
  suite: jobStoreSuite,
  open: (kv, clock, steadyClock) => openJobStore(kv, { clock, ...(steadyClock ? { steadyClock } : {}) }),
  fill: async (store) => {
    const outbox = [{ destination: 'n-1', body: { word: 'cod' } }]
    for (const id of ['job-1', 'job-2', 'job-3']) {
      await store.submitJob({
        id,
        name: id,
        type: 'batch',
        spec: { word: 'cod' },
        labels: { team: 'red' },
        evaluation: { id: `evaluation-${id}`, trigger: 'job-register' },
        deadlineAtMs: 5_000,
        requestId: `r-${id}`,
        outbox,
      })
      await store.createExecution({ id: `e-${id}`, jobId: id, nodeId: 'n-1', deadlineAtMs: 5_000 })
    }
    await store.setNamedCursor('mine', await store.latestCursor())
    await store.setPeer(PEER)
    await store.recordNode({ id: 'n-1' })
    await store.claimEvaluation({ holder: 'worker', leaseMs: 10_000 })
    for (const id of ['job-2', 'job-3']) {
      await store.updateExecution({ executionId: `e-${id}`, to: 'Completed' })
      await store.transitionJob({ jobId: id, to: 'Completed' })
    }
  },
  reads: (store) => ({
    ...durableReads(store),
    getJob: () => store.getJob('job-1'),
    getJobByName: () => store.getJobByName('default', 'job-1'),
    findJob: () => store.findJob('job-1'),
    listJobVersions: () => store.listJobVersions('job-1'),
    listJobs: () => store.listJobs(),
    listFinishedJobs: () => store.listFinishedJobs({ namespace: 'default', state: 'Completed' }),
    measureJob: () => store.measureJob('job-2'),
    getExecution: () => store.getExecution('e-job-1'),
    findExecution: () => store.findExecution('e-job-1'),
    listExecutions: () => store.listExecutions({ jobId: 'job-1' }),
    getEvaluation: () => store.getEvaluation('evaluation-job-1'),
    listEvaluations: () => store.listEvaluations({ jobId: 'job-1' }),
    nextEvaluationMs: () => store.nextEvaluationMs(),
    listHistory: () => store.listHistory({ jobId: 'job-1' }),
    getNode: () => store.getNode('n-1'),
    findNode: () => store.findNode('n-'),
    listNodes: () => store.listNodes(),
  }),
}

const EXECUTIONS: Kind<ExecutionStore> = {
  operations: EXECUTION_STORE_OPERATIONS,
  suite: executionStoreSuite,
  open: (kv, clock, steadyClock) =>
    openExecutionStore(kv, { clock, ...(steadyClock ? { steadyClock } : {}) }),
  fill: async (store) => {
    const outbox = [{ destination: 'requester', body: { word: 'cod' } }]
    for (const id of ['e-1', 'e-2', 'e-3']) {
      await store.createExecution({
        id,
        job: {
          id: 'job-1',
          version: 1,
          type: 'batch',
          namespace: 'default',
          name: 'one',
          priority: 0,
          spec: { word: 'cod' },
        },
        requesterId: 'requester',
        deadlineAtMs: 5_000,
        requestId: `r-${id}`,
        outbox,
      })
    }
    await store.setNamedCursor('mine', await store.latestCursor())
    await store.setPeer(PEER)
    await store.setCheckpoint('mine', 1)
    for (const executionId of ['e-2', 'e-3'])
      await store.updateExecution({ executionId, to: 'Failed', event: { message: 'it failed' } })
  },
  reads: (store) => ({
    ...durableReads(store),
    getExecution: () => store.getExecution('e-1'),
    findExecution: () => store.findExecution('e-1'),
    listExecutions: () => store.listExecutions(),
    listFinishedExecutions: () => store.listFinishedExecutions({ state: 'Failed' }),
    measureExecution: () => store.measureExecution('e-2'),
    listHistory: () => store.listHistory({ executionId: 'e-1' }),
    getCheckpoint: () => store.getCheckpoint('mine'),
  }),
}

function durableReads(store: JobStore | ExecutionStore): Readonly<Record<string, () => Promise<unknown>>> {
  return {
    info: () => store.info(),
    counts: () => store.counts(),
    dueDeadlines: () => store.dueDeadlines(),
    nextDeadlineMs: () => store.nextDeadlineMs(),
    changes: () => store.changes(),
    latestCursor: () => store.latestCursor(),
    getNamedCursor: () => store.getNamedCursor('mine'),
    getPeer: () => store.getPeer('n-other'),
    readOutbox: () => store.readOutbox({ destination: 'n-1' }),
    outboxDestinations: () => store.outboxDestinations(),
    listQuarantine: () => store.listQuarantine(),
    check: () => store.check(),
  }
}

/** Tests on a backend that the contract says of every method whether it writes. */
export function operationCases(backend: OperationBackend): void {
  casesOf('jobs', JOBS, backend)
  casesOf('executions', EXECUTIONS, backend)
}

function casesOf<Store extends JobStore | ExecutionStore>(
  kind: string,
  { operations, suite, open, fill, reads }: Kind<Store>,
  { name, place, durable, every = 1 }: OperationBackend,
): void {
  const watched = new WatchedOperations(operations)
  // The cases of the suite call every method, also wrongly, with clocks that are set, and many at a time.
  suite({
    name: `${name}, watched`,
    runner: oneIn(every),
    small: true,
    open: async (clock, steadyClock) => {
      const openPlace = place()
      const opened = async (readOnly: boolean) =>
        watched.store(await open(watched.backend(await openPlace(readOnly)), clock, steadyClock))
      return {
        store: await opened(false),
        ...(durable ? { reopen: () => opened(false), openReader: () => opened(true) } : {}),
        dispose: async () => undefined,
      }
    },
  })

  test(`the contract says truly which methods of a store of ${kind} write`, () => {
    expect(watched.changingReads()).toEqual([])
    if (every > 1 && !IS_LONG) return
    expect(watched.uncalled()).toEqual([])
    expect(watched.needlessReads()).toEqual([])
    expect(watched.idleWrites()).toEqual([])
  })

  test.each(STORE_TABLES)(
    `reads of a store of ${kind} change nothing else beside damaged rows of %s`,
    async (table) => {
      for (const folded of [false, true]) {
        const beside = new WatchedOperations(operations)
        const kv = await place()(false)
        let nowMs = 1_000
        const store = await open(kv, () => nowMs)
        await fill(store)
        nowMs = 9_000
        if (folded) while ((await store.fold({ limit: 500 })).more);
        await damageAll(kv, table)
        beside.backend(kv)
        const calls = reads(beside.store(store))
        const readMethods = Object.keys(operations).filter((method) => operations[method] === 'read')
        expect(Object.keys(calls).sort()).toEqual(readMethods.sort())
        for (const call of Object.values(calls)) {
          await call().catch((error: unknown) => {
            if (!isStoreError(error)) throw error
          })
        }
        expect(beside.changingReads()).toEqual([])
        await store.close()
      }
    },
  )
}

/** Changes a byte of every row of a table. */
async function damageAll(kv: KvStore, table: string): Promise<void> {
  await kv.write((rows) => {
    for (const { key, value } of rows.range(table, { limit: 1_000 })) {
      const bytes = Uint8Array.from(value)
      const last = bytes.length - 1
      if (last < 0) continue
      bytes[last] = (bytes[last] ?? 0) ^ 1
      rows.put(table, key, bytes)
    }
  })
}
