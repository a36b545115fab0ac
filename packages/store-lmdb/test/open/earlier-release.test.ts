import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { ExecutionStore, JobStore } from '@saltcod/store-core'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'

import { openLmdbExecutionStore, openLmdbJobStore } from '../../src/index.ts'

/** The stores of a killed node, half of them folded, and everything that the release that wrote them read in them. */
const FIXTURE = fileURLToPath(new URL('../../../../test/fixtures/schema-2', import.meta.url))

function unpacked(name: string): Buffer {
  return gunzipSync(readFileSync(join(FIXTURE, `${name}.gz`)))
}

function storeFile(name: 'jobs.db' | 'executions.db'): string {
  const path = join(temporaryDirectory(), name)
  writeFileSync(path, unpacked(name), { mode: 0o600 })
  return path
}

interface Contents {
  readonly jobs: readonly unknown[]
  readonly counts: unknown
  readonly changes: unknown
  readonly executions: readonly unknown[]
  readonly executionCounts: unknown
}

const contents = JSON.parse(unpacked('contents.json').toString()) as Contents

type JobContents = Awaited<ReturnType<typeof jobContents>>

async function jobContents(store: JobStore) {
  const jobs = []
  for (const job of (await store.listJobs({})).items) {
    jobs.push({
      job,
      versions: await store.listJobVersions(job.id),
      executions: (await store.listExecutions({ jobId: job.id })).items,
      evaluations: (await store.listEvaluations({ jobId: job.id })).items,
      history: (await store.listHistory({ jobId: job.id })).items,
    })
  }
  const { changeSets } = await store.changes({ limit: 1_000 })
  return { jobs, counts: await store.counts(), changes: changeSets }
}

async function executionContents(store: ExecutionStore): Promise<unknown> {
  const executions = []
  for (const execution of (await store.listExecutions()).items) {
    const { items: history } = await store.listHistory({ executionId: execution.id })
    executions.push({ execution, history })
  }
  return { executions, executionCounts: await store.counts() }
}

/**
 * Of what came later: the ends before an execution, of which none were given up, and when older versions were made.
 */
function asBefore(found: JobContents): unknown {
  const jobs = found.jobs.map(({ job, versions, executions, ...rest }) => ({
    ...{ job, ...rest },
    versions: versions.map((version) => ({ ...version, modifiedAtMs: job.modifiedAtMs })),
    executions: executions.map(({ endsBefore, ...execution }) => {
      expect(endsBefore).toBe(0)
      return execution
    }),
  }))
  return { ...found, jobs }
}

test('a job store of the release before reads the same, and goes on', async () => {
  const path = storeFile('jobs.db')
  const reader = await openLmdbJobStore({ path, readOnly: true })
  const { jobs, counts, changes } = contents
  expect(asBefore(await jobContents(reader))).toEqual({ jobs, counts, changes })
  expect((await reader.check()).findings).toEqual([])
  await reader.close()

  const store = await openLmdbJobStore({ path })
  const finished = await store.getJobByName('default', 'done-2')
  expect(finished).toMatchObject({ state: 'Completed', hold: 'audit' })
  const id = finished?.id ?? ''
  await store.holdJob({ jobId: id, reason: null })
  await store.reviseJob({ jobId: id, labels: { again: 'yes' } })
  await store.submitJob({ type: 'batch', name: 'new', spec: {} })
  for (let claim = await claimNext(store); claim !== null; claim = await claimNext(store)) {
    await store.applyPlan({ lease: claim.lease, newExecutions: [] })
  }
  for (const { id: jobId, state } of (await store.listJobs({ inProgress: true })).items) {
    await store.transitionJob({ jobId, to: 'Stopped', expectedStates: [state] })
  }
  await store.fold({ olderThanMs: 0 })
  for (const job of (await store.listJobs({})).items) await store.deleteJob({ jobId: job.id })
  while ((await store.reclaim()).more) {
    // Each step is bounded.
  }
  for (const { id: nodeId } of (await store.listNodes()).items) await store.deleteNode({ nodeId })
  expect((await store.check()).findings).toEqual([])
  expect(await store.counts()).toEqual([])
  await store.close()
})

async function claimNext(store: JobStore) {
  return await store.claimEvaluation({ holder: 'test', leaseMs: 60_000, scheduler: true })
}

test('an execution store of the release before reads the same, and goes on', async () => {
  const path = storeFile('executions.db')
  const reader = await openLmdbExecutionStore({ path, readOnly: true })
  const { executions, executionCounts } = contents
  expect(await executionContents(reader)).toEqual({ executions, executionCounts })
  expect((await reader.check()).findings).toEqual([])
  await reader.close()

  const store = await openLmdbExecutionStore({ path })
  for (const { id, state } of (await store.listExecutions({ inProgress: true })).items) {
    await store.updateExecution({ executionId: id, to: 'Failed', expectedStates: [state] })
  }
  for (const { id } of (await store.listExecutions()).items) await store.deleteExecution({ executionId: id })
  while ((await store.reclaim()).more) {
    // Each step is bounded.
  }
  expect((await store.check()).findings).toEqual([])
  expect(await store.counts()).toEqual([])
  await store.close()
})
