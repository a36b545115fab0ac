import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openMemoryKv } from '../../../store-memory/src/index.ts'
import { openExecutionStore, openJobStore, STORE_TABLES } from '../../src/backend.ts'
import { idTuple } from '../../src/format.ts'
import type { Claim, JobStore, LeaseToken } from '../../src/index.ts'
import type { KvStore } from '../../src/kv/contract.ts'

const START_MS = 1_700_000_000_000

/** A store in memory, a clock that a test moves, and the texts of all records in it. */
class Scene {
  readonly kv = openMemoryKv({ tables: STORE_TABLES })
  nowMs = START_MS
  readonly #names = new Map<string, string>()

  readonly clock = (): number => this.nowMs

  /** Lets time pass. */
  tick(ms = 1): void {
    this.nowMs += ms
  }

  /**
   * Every record's JSON text behind the name of its table, in the order of the keys; ids that are random are named
   * in the order in which they come.
   */
  lines(): string[] {
    const tables = STORE_TABLES.filter((table) => table !== 'index')
    return tables.flatMap((table) => textsOf(this.kv, table).map((text) => `${table} ${this.#named(text)}`))
  }

  #named(text: string): string {
    return text
      .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, (id) => {
        const name = this.#names.get(id) ?? `#${String(this.#names.size).padStart(34, '0')}#`
        this.#names.set(id, name)
        return name
      })
      .replace(/"cursor":"[\w-]+"/, '"cursor":"..."')
  }
}

function textsOf(kv: KvStore, table: (typeof STORE_TABLES)[number]): string[] {
  return kv.read((rows) =>
    rows
      .range(table, { limit: 1_000 })
      .map(({ value }) => Buffer.from(value.subarray(2, value.length - 4)).toString('utf8')),
  )
}

function recorded(name: string): string[] {
  const text = readFileSync(new URL(`recorded/${name}.txt`, import.meta.url), 'utf8')
  return text.split('\n').slice(0, -1)
}

async function claim(store: JobStore, holder: string, scheduler = false): Promise<LeaseToken> {
  const claimed = (await store.claimEvaluation({
    holder,
    leaseMs: 60_000,
    maxAttempts: 3,
    ...(scheduler ? { scheduler } : {}),
  })) as Claim
  return claimed.lease
}

test('a job store writes its rows as it always has', async () => {
  const scene = new Scene()
  const opened = { clock: scene.clock, nodeId: 'n-requester' }
  let store = await openJobStore(scene.kv, opened)
  const event = {
    message: 'Job submitted',
    topic: 'Submission',
    details: { by: 'ann', "it's": '"quoted" \u2028 ü' },
  }

  // The first job has every field, and goes through its versions.
  await store.submitJob({
    id: 'j-full',
    name: 'full',
    namespace: 'ops',
    type: 'service',
    priority: 7,
    count: 3,
    labels: { env: 'prod', l: '' },
    submitKey: 'once',
    deadlineAtMs: START_MS + 3_600_000,
    spec: { tasks: [{ Name: 'main', m: 1, s: 'no state' }], dl: null },
    requestId: 'request-1',
    event,
  })
  scene.tick()
  await store.reviseJob({ jobId: 'j-full', count: 4, labels: {}, spec: [], requestId: 'request-2' })
  await store.transitionJob({ jobId: 'j-full', to: 'Queued', message: 'No node is free' })
  await store.holdJob({ jobId: 'j-full', reason: 'held for ever' })
  scene.tick()
  const first = await claim(store, 'worker-1')
  await store.extendLease({ lease: first, leaseMs: 90_000 })
  const { executionIds } = await store.applyPlan({
    lease: first,
    newExecutions: [
      { id: 'e-bare', jobId: 'j-full', nodeId: 'n-1' },
      {
        id: 'e-full',
        jobId: 'j-full',
        jobVersion: 1,
        nodeId: 'n-2',
        state: 'AskForBid',
        desiredState: 'Running',
        desiredMessage: 'wanted',
        evaluationId: first.evaluationId,
        partition: 0,
        previousExecutionId: 'e-before',
        resources: { cpu: 1.5, nothing: null, s: 'x' },
        deadlineAtMs: START_MS + 60_000,
        event: { message: 'Asked', topic: 'Scheduling' },
      },
    ],
    job: { to: 'Running', message: '' },
    events: [{ message: 'Planned' }],
    followUps: [{ id: 'v-later', trigger: 'job-queue', delayMs: 5_000, priority: 3, comment: 'later' }],
    comment: 'placed',
    outbox: [{ destination: 'n-1', body: { command: 'ask', list: [1, 'two', null] } }],
  })
  expect(executionIds).toEqual(['e-bare', 'e-full'])
  scene.tick()
  await store.updateExecution({
    executionId: 'e-bare',
    to: 'AskForBid',
    patch: {
      desiredState: 'Running',
      desiredMessage: 'bid',
      resources: { cpu: 2 },
      deadlineAtMs: START_MS + 9,
    },
  })
  await store.updateExecution({ executionId: 'e-bare', patch: { desiredMessage: '', deadlineAtMs: null } })
  await store.recordExecution({
    executionId: 'e-full',
    nodeId: 'n-2',
    computeRevision: 2,
    to: 'AskForBidAccepted',
    message: 'Bid accepted',
    patch: { runOutput: null, publishedResult: { type: 's3' } },
    requestId: 'request-3',
  })
  await store.recordExecution({ executionId: 'e-full', nodeId: 'n-2', computeRevision: 3, to: 'BidAccepted' })
  await store.recordExecution({
    executionId: 'e-full',
    nodeId: 'n-2',
    computeRevision: 6,
    to: 'Failed',
    endReason: 'failed',
    message: 'exit code 1',
    patch: {
      runOutput: { stdout: 'm\n', exitCode: 1 },
      desiredState: 'Stopped',
      desiredMessage: 'it failed',
    },
    evaluation: { trigger: 'exec-failure' },
  })
  await store.addHistory({
    jobId: 'j-full',
    executionId: 'e-full',
    event: { message: 'Seen', topic: 'Note' },
  })

  // The second one is worked on by processes that die, and fails.
  scene.tick()
  await store.submitJob({ id: 'j-second', name: 'second', type: 'batch', spec: null })
  await store.submitJob({ id: 'j-third', name: 'third', type: 'batch', spec: 'a text', evaluation: null })
  await claim(store, 'worker-2')
  await claim(store, 'worker-3')
  scene.tick(10)
  store = await openJobStore(scene.kv, opened)
  const again = await claim(store, 'worker-4')
  await store.retryEvaluation({ lease: again, delayMs: 1_000, maxAttempts: 3, comment: 'not now' })
  scene.tick(2_000)
  await claim(store, 'worker-5')
  scene.tick(10)
  store = await openJobStore(scene.kv, opened)
  await claim(store, 'a scheduler', true)

  // The third is deleted, the fourth comes back out of an archive.
  await store.transitionJob({ jobId: 'j-third', to: 'Failed', message: 'gone' })
  const versions = await store.listJobVersions('j-third')
  const { items: history } = await store.listHistory({ jobId: 'j-third' })
  await store.deleteJob({ jobId: 'j-third' })
  const rename = (id: string): string => (id === 'j-third' ? 'j-fourth' : id)
  await store.importJob({
    versions: versions.map((job) => ({ ...job, id: 'j-fourth', name: 'fourth', labels: { a: 'b' } })),
    executions: [],
    evaluations: [],
    history: history.map((entry) => ({ ...entry, jobId: rename(entry.jobId) })),
    hold: 'looked at',
  })
  await store.setNamedCursor('reader', await store.latestCursor())
  await store.setPeer({ name: 'n-other', storeId: 's', incarnation: 'i', firstSequence: 2, sequence: 5 })

  // A damaged record is noted.
  await scene.kv.write((rows) => rows.put('jobs', idTuple('j', 'j-damaged'), Buffer.from('damaged')))
  await expect(store.getJob('j-damaged')).rejects.toMatchObject({ code: 'RECORD_CORRUPT' })
  await expect.poll(() => textsOf(scene.kv, 'quarantine').length).toBe(1)
  await scene.kv.write((rows) => rows.remove('jobs', idTuple('j', 'j-damaged')))
  expect(scene.lines()).toEqual(recorded('jobs'))
})

test('an execution store writes its rows as it always has', async () => {
  const scene = new Scene()
  const store = await openExecutionStore(scene.kv, { clock: scene.clock })
  const job = {
    id: 'j-cause',
    version: 2,
    namespace: 'ops',
    name: 'cause',
    type: 'batch' as const,
    priority: 0,
    spec: { tasks: [{ Name: 'main', s: 1 }] },
  }
  await store.createExecution({ id: 'e-bare', job, requesterId: 'n-requester' })
  await store.createExecution({
    id: 'e-full',
    job,
    requesterId: 'n-requester',
    state: 'BidAccepted',
    partition: 1,
    rerunnable: true,
    resources: { tasks: { main: { cpu: 1 } } },
    deadlineAtMs: START_MS + 60_000,
    event: { message: 'Asked', topic: 'Bidding', details: { NodeID: 'n-requester' } },
    outbox: [{ destination: 'n-requester', body: { report: 1 } }],
    requestId: 'request-1',
  })
  scene.tick()
  await store.updateExecution({ executionId: 'e-bare', to: 'BidAccepted', message: 'Bid accepted' })
  await store.updateExecution({
    executionId: 'e-full',
    to: 'Running',
    patch: {
      attempt: 1,
      process: { pid: 7, startTime: '12', bootId: 'boot' },
      deadlineAtMs: START_MS + 99_000,
    },
    event: { message: 'Execution started' },
  })
  await store.acknowledgeExecution({ executionId: 'e-full', revision: 1 })
  await store.updateExecution({
    executionId: 'e-bare',
    patch: { attempt: 0, process: null, resources: [1, 'two'] },
  })
  scene.tick()
  await store.updateExecution({ executionId: 'e-full', to: 'Publishing' })
  await store.updateExecution({
    executionId: 'e-full',
    to: 'Completed',
    message: 'Execution completed',
    patch: { runOutput: { exitCode: 0 }, publishedResult: { Type: 'local' }, process: null },
    requestId: 'request-2',
  })
  await store.acknowledgeExecution({ executionId: 'e-full', revision: 4 })
  await store.createExecution({
    id: 'e-run',
    job,
    requesterId: 'n-requester',
    deadlineAtMs: START_MS + 60_000,
  })
  await store.updateExecution({ executionId: 'e-run', to: 'BidAccepted' })
  await store.updateExecution({
    executionId: 'e-run',
    to: 'Running',
    patch: { attempt: 2, process: { pid: 8, startTime: '13', bootId: 'boot' } },
  })
  await store.createExecution({
    id: 'e-failed',
    job,
    requesterId: 'n-requester',
    deadlineAtMs: START_MS + 60_000,
  })
  await store.updateExecution({ executionId: 'e-failed', to: 'Failed', endReason: 'refused', message: 'no' })
  await store.createExecution({ id: 'e-gone', job, requesterId: 'n-requester' })
  await store.updateExecution({
    executionId: 'e-gone',
    to: 'Cancelled',
    endReason: 'stopped',
    message: 'stop',
  })
  await store.deleteExecution({ executionId: 'e-gone' })
  await store.addHistory({ executionId: 'e-full', event: { message: 'Seen', details: { d: 'd' } } })
  await store.setCheckpoint('commands', 12)
  await store.setPeer({ name: 'n-other', storeId: 's', incarnation: 'i', firstSequence: 2, sequence: 5 })
  expect(scene.lines()).toEqual(recorded('executions'))
})
