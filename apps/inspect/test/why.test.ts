import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { findLmdbOwner, openLmdbExecutionStore, openLmdbJobStore } from '@saltcod/store-lmdb'
import { expect, onTestFinished, test, vi } from 'vitest'
import { keptTerminal } from '../../../test/kept-terminal.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { why } from '../src/commands/why.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

// Nothing is replaced: the calls are counted.
vi.mock(import('@saltcod/store-lmdb'), async (original) => {
  const actual = await original()
  return { ...actual, findLmdbOwner: vi.fn(actual.findLmdbOwner) }
})

interface Row {
  readonly id: string
  readonly because: readonly string[]
  readonly next: readonly string[]
  readonly timeline: readonly { readonly who: string; readonly what: string }[]
}

function emptyRepository(): string {
  const directory = temporaryDirectory()
  for (const room of ['n-1-requester', 'n-2-requester', 'n-1-compute']) mkdirSync(join(directory, room))
  return directory
}

/** Writes a job that is called `same` in a store of its own, with executions. */
async function submitJob(path: string, id: string, executions: readonly string[]): Promise<void> {
  const store = await openLmdbJobStore({ path })
  await store.submitJob({ id, name: 'same', type: 'batch', spec: {} })
  await store.transitionJob({ jobId: id, to: 'Running' })
  for (const execution of executions)
    await store.createExecution({
      id: execution,
      jobId: id,
      nodeId: 'n-1',
      state: 'AskForBid',
      desiredState: 'Running',
      desiredMessage: 'of 2 nodes 1 has room',
    })
  await store.close()
}

async function explain(directory: string): Promise<Row[]> {
  const terminal = keptTerminal()
  await why(terminal, directory, 'same', { output: 'ndjson', namespace: 'default' })
  return terminal.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)
}

test('each job that is found gets what the compute node knows of its own executions, and nothing of the others', async () => {
  const directory = emptyRepository()
  await submitJob(join(directory, 'n-1-requester/jobs.db'), 'job-one', ['exec-one'])
  await submitJob(join(directory, 'n-2-requester/jobs.db'), 'job-two', ['exec-two'])
  const compute = await openLmdbExecutionStore({
    path: join(directory, 'n-1-compute/executions.db'),
    nodeId: 'n-1',
  })
  for (const [id, message] of [
    ['exec-one', 'first'],
    ['exec-two', 'second'],
  ] as const) {
    const job = {
      id: `job-${id}`,
      version: 1,
      namespace: 'default',
      name: 'same',
      type: 'batch',
      priority: 0,
      spec: {},
    } as const
    await compute.createExecution({ id, job, requesterId: 'n-1' })
    await compute.updateExecution({ executionId: id, to: 'BidAccepted' })
    await compute.updateExecution({ executionId: id, to: 'Running', message })
  }
  await compute.close()
  const rows = await explain(directory)
  const told = (id: string): string => JSON.stringify(rows.find((row) => row.id === id))
  expect(rows.map(({ id }) => id).toSorted()).toEqual(['job-one', 'job-two'])
  expect(told('job-one')).toContain('recover --plan: execution exec-one')
  expect(told('job-two')).toContain('recover --plan: execution exec-two')
  expect(told('job-one')).toContain('it is wanted on n-1: of 2 nodes 1 has room')
  expect(told('job-one')).toContain('first')
  expect(told('job-two')).toContain('second')
  expect(told('job-one')).not.toMatch(/exec-two|second/)
  expect(told('job-two')).not.toMatch(/exec-one|first/)
})

test('the owner of a compute store is looked for once, however many executions wait there', async () => {
  const directory = emptyRepository()
  const path = join(directory, 'n-1-compute/executions.db')
  const ids = Array.from({ length: 5 }, (_, index) => `exec-${index}`)
  await submitJob(join(directory, 'n-1-requester/jobs.db'), 'job-one', ids)
  const compute = await openLmdbExecutionStore({ path, nodeId: 'n-1' })
  onTestFinished(() => compute.close())
  for (const id of ids) {
    const job = {
      id: 'job-one',
      version: 1,
      namespace: 'default',
      name: 'same',
      type: 'batch',
      priority: 0,
      spec: {},
    } as const
    await compute.createExecution({ id, job, requesterId: 'n-1' })
    await compute.updateExecution({ executionId: id, to: 'BidAccepted' })
  }
  vi.mocked(findLmdbOwner).mockClear()
  const [row] = await explain(directory)
  expect(row?.because).toContainEqual(expect.stringMatching(/^on that node 0 run, and 5 wait for their turn/))
  expect(vi.mocked(findLmdbOwner).mock.calls.filter(([asked]) => asked === path)).toHaveLength(1)
})

test('what is known of the other side is told where only the store of one side is here', async () => {
  const requester = temporaryDirectory()
  const [jobs, away] = [join(requester, 'jobs.db'), join(temporaryDirectory(), 'executions.db')]
  await submitJob(jobs, 'job-one', ['exec-one'])
  const store = await openLmdbJobStore({ path: jobs })
  await store.recordNode({ id: 'n-1', membership: 'approved' })
  await store.changeNode({ nodeId: 'n-1', scheduling: 'drained' })
  await store.close()
  const [row] = await explain(jobs)
  const because = row?.because.join('\n')
  expect(because).toMatch(
    /what node n-1 knows of execution exec-one cannot be asked here, since its store is not here \(saltcod job why exec-one asks the node\); of its reports none was taken/,
  )
  expect(because).toMatch(/node n-1 was last heard of at .* ago, or up to a minute later; it is drained/)

  const compute = await openLmdbExecutionStore({ path: away, nodeId: 'n-1' })
  const job = {
    id: 'job-one',
    version: 1,
    namespace: 'default',
    name: 'same',
    type: 'batch',
    priority: 0,
    spec: {},
  } as const
  const outbox = [{ destination: 'n-requester', body: { executionId: 'exec-one', revision: 1 } }]
  await compute.createExecution({ id: 'exec-one', job, requesterId: 'n-requester', outbox })
  await compute.setPeer({ name: '@requester', storeId: 's', incarnation: 'i', firstSequence: 1, sequence: 1 })
  await compute.close()
  const terminal = keptTerminal()
  await why(terminal, away, 'exec-one', { output: 'json', namespace: 'default' })
  expect(terminal.stdout).toMatch(
    /requester n-requester was last heard of at .* ago, as far as was noted; its own store is not here/,
  )
  expect(terminal.stdout).toMatch(/1 report of the execution is not confirmed by it, for 0s/)
})

test('what other nodes carry out is not told to have ended with the requester', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const store = await openLmdbJobStore({ path, nodeId: 'n-requester' })
  await store.submitJob({ id: 'job-one', name: 'same', type: 'batch', spec: {} })
  await store.transitionJob({ jobId: 'job-one', to: 'Running' })
  for (const nodeId of ['n-requester', 'n-away']) {
    const id = `exec-on-${nodeId}`
    await store.createExecution({
      ...{ id, jobId: 'job-one', nodeId, state: 'AskForBid', desiredState: 'Running' },
      desiredMessage: 'of 2 nodes 1 has room',
    })
    await store.recordExecution({ executionId: id, nodeId, computeRevision: 1, to: 'Running' })
  }
  await store.close()
  const [row] = await explain(path)
  const because = row?.because.join('\n')
  expect(because).toContain(
    'exec-on-n-requester on n-requester ran when the node ended, and does not run now',
  )
  expect(because).toContain(
    'exec-on-n-away on n-away ran there when the requester ended, and goes on without it',
  )
  expect(row?.next.join('\n')).toMatch(/nothing moves before .*\nother nodes go on with what they have begun/)
})
