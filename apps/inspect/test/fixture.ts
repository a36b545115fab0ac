import { spawnSync } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openArchive, readArchivedJob } from '@saltcod/compaction'
import type { ComputeState, ExecutionStore, JobStore } from '@saltcod/store-core'
import { openLmdbExecutionStore, openLmdbJobStore } from '@saltcod/store-lmdb'
import { openMemoryJobStore } from '@saltcod/store-memory'
import { removeDirectory } from '../../../test/remove-directory.ts'
import { unownedDirectory } from '../../../test/temporary-directory.ts'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

/** How a run of the program ended. */
export interface Ran {
  readonly stdout: string
  readonly stderr: string
  readonly status: number | null
}

/** Runs the built program to its end. */
export function inspect(cwd: string, ...args: readonly string[]): Ran {
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, ...args], {
    cwd,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    timeout: 240_000,
  })
  return { stdout, stderr, status }
}

/** Runs it and reads its JSON; fails where it did not end well. */
export function inspectJson<T>(cwd: string, ...args: readonly string[]): T {
  const ran = inspect(cwd, ...args, '--output', 'json')
  if (ran.status !== 0) throw new Error(`exit code ${ran.status}: ${ran.stderr}`)
  return JSON.parse(ran.stdout) as T
}

/** A directory with a repository of one node, and copies of its two stores beside it. */
export interface Fixture {
  readonly directory: string
  readonly jobs: string
  readonly executions: string
  remove(): Promise<void>
}

/** The secret in the environment of every task. */
export const SECRET = 'hunter2-do-not-show'

/** The specification of the jobs of the fixture. */
const SPEC = {
  Tasks: [
    {
      Name: 'main',
      Engine: { Type: 'noop', Params: { EnvironmentVariables: [`TOKEN=${SECRET}`] } },
      Env: { PASSWORD: SECRET },
    },
  ],
}

/** Makes the fixture with stores that the libraries write. */
export async function makeFixture(): Promise<Fixture> {
  const directory = unownedDirectory()
  const requester = join(directory, 'repository/n-1-requester/jobs.db')
  const compute = join(directory, 'repository/n-1-compute/executions.db')
  const jobStore = await openLmdbJobStore({ path: requester, nodeId: 'n-1' })
  await fillJobs(jobStore)
  await jobStore.close()
  const executionStore = await openLmdbExecutionStore({ path: compute, nodeId: 'n-1' })
  await fillExecutions(executionStore)
  await executionStore.close()
  await fillArchive(join(directory, 'archive'))
  const jobs = join(directory, 'jobs.db')
  const executions = join(directory, 'executions.db')
  copyFileSync(requester, jobs)
  copyFileSync(compute, executions)
  // A file that nobody has closed in good order is checked in a process of its own each time it is opened.
  await (await openLmdbJobStore({ path: jobs })).close()
  await (await openLmdbExecutionStore({ path: executions })).close()
  return { directory, jobs, executions, remove: () => removeDirectory(directory) }
}

/** Three jobs that ended and left their store, one of them archived twice. */
async function fillArchive(directory: string): Promise<void> {
  const store = await openMemoryJobStore()
  const archive = await openArchive(directory)
  for (const [name, state] of [
    ['yesterday', 'Completed'],
    ['last-week', 'Failed'],
    ['last-year', 'Completed'],
  ] as const) {
    const id = `job-${name}`
    const labels = { team: name === 'last-week' ? 'blue' : 'red' }
    await store.submitJob({ id, name, type: 'batch', spec: SPEC, labels })
    await store.createExecution({ id: `exec-${name}`, jobId: id, nodeId: 'n-1', state: 'AskForBid' })
    await store.updateExecution({ executionId: `exec-${name}`, to: state })
    await store.transitionJob({ jobId: id, to: state, message: 'as it was' })
    await archive.append([await readArchivedJob(store, id)])
    if (name === 'yesterday') await archive.append([await readArchivedJob(store, id)])
  }
  await store.close()
}

/** Six jobs: one that waits, two that run, and one of each end. */
async function fillJobs(store: JobStore): Promise<void> {
  const submit = async (id: string, name: string, team: string, priority: number) => {
    await store.submitJob({
      id,
      name,
      type: 'batch',
      spec: SPEC,
      count: 1,
      labels: { team, env: 'prod' },
      priority,
    })
  }
  await submit('job-pending', 'patient', 'blue', 0)
  for (const [id, name] of [
    ['job-nightly', 'nightly'],
    ['job-done', 'done'],
    ['job-broken', 'broken'],
    ['job-stopped', 'stopped'],
  ] as const) {
    await submit(id, name, name === 'nightly' ? 'blue' : 'red', 10)
    const claim = await store.claimEvaluation({ holder: 'worker', leaseMs: 60_000 })
    if (claim === null) throw new Error('no evaluation is due')
    await store.completeEvaluation({ lease: claim.lease })
    await store.transitionJob({ jobId: id, to: 'Running' })
  }
  await store.createExecution({
    id: 'e-1c9f63aa',
    jobId: 'job-nightly',
    nodeId: 'n-1',
    state: 'AskForBid',
    deadlineAtMs: Date.now() + 3_600_000,
  })
  await store.updateExecution({ executionId: 'e-1c9f63aa', to: 'Running', message: 'it runs' })
  await store.createExecution({ id: 'exec-broken', jobId: 'job-broken', nodeId: 'n-2', state: 'AskForBid' })
  await store.updateExecution({
    executionId: 'exec-broken',
    to: 'Failed',
    message: 'exit code 3\u001b[31m',
    patch: { runOutput: { STDERR: `no ${SECRET} here` } },
  })
  await store.transitionJob({ jobId: 'job-broken', to: 'Failed', message: 'all executions failed' })
  await store.transitionJob({ jobId: 'job-done', to: 'Completed' })
  await store.transitionJob({ jobId: 'job-stopped', to: 'Stopped', message: 'by request' })
}

/** Some executions in each of several states. */
async function fillExecutions(store: ExecutionStore): Promise<void> {
  const paths: readonly (readonly [string, readonly ComputeState[]])[] = [
    ['e-1c9f63aa', ['BidAccepted', 'Running']],
    ['exec-created', []],
    ['exec-done', ['BidAccepted', 'Running', 'Publishing', 'Completed']],
    ['exec-failed', ['BidAccepted', 'Running', 'Failed']],
  ]
  for (const [id, states] of paths) {
    const job = {
      id: id === 'e-1c9f63aa' ? 'job-nightly' : `job-of-${id}`,
      version: 1,
      namespace: 'default',
      name: id,
      type: 'batch',
      priority: 0,
      spec: SPEC,
    } as const
    await store.createExecution({ id, job, requesterId: 'n-1' })
    for (const to of states) {
      const patch = to === 'Completed' ? { runOutput: { STDOUT: `the token is ${SECRET}!\n` } } : {}
      await store.updateExecution({ executionId: id, to, patch })
    }
  }
}
