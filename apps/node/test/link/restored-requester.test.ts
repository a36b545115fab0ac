import assert from 'node:assert/strict'
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JobSpec } from '@saltcod/bacalhau-records'
import type { ExecutionStore, JobStore } from '@saltcod/store-core'
import { openLmdbExecutionStore, openLmdbJobStore } from '@saltcod/store-lmdb'
import { pino } from 'pino'
import { onTestFinished, test } from 'vitest'
import { eventually, until } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import type { Link } from '../../src/link/link.ts'
import { startRequester } from '../../src/requester/requester.ts'
import { DEFAULT_REQUESTER_SETTINGS } from '../../src/requester/settings.ts'
import { markTakenOver } from '../../src/requester/taken-over.ts'
import { shellJob, startComputeSide } from '../compute/fixture.ts'

async function serve(path: string, isTakenOver = false) {
  const jobs = await openLmdbJobStore<JobSpec>({ path })
  if (isTakenOver) await markTakenOver(jobs)
  const log = pino({ level: 'silent' })
  const requester = startRequester({
    store: jobs,
    nodeId: 'requester',
    settings: DEFAULT_REQUESTER_SETTINGS,
    log,
  })
  let stopping: Promise<void> | undefined
  const end = async (): Promise<void> => {
    await requester.stop()
    await jobs.close()
  }
  const stop = async (): Promise<void> => {
    stopping ??= end()
    await stopping
  }
  onTestFinished(stop)
  return { jobs, link: requester.link, requester, stop }
}

async function submit(jobs: JobStore<JobSpec>, script: string): Promise<string> {
  const { spec } = shellJob(script)
  return (await jobs.submitJob({ type: 'batch', count: 1, spec: spec as unknown as JobSpec })).job.id
}

async function untilState(jobs: JobStore<JobSpec>, id: string, wanted: string): Promise<void> {
  await until(
    async () => (await jobs.getJob(id))?.state,
    (state) => state === wanted,
  )
}

test('a requester that was restored from a backup is told what its nodes have, and ends what it knows nothing of', async () => {
  const directory = temporaryDirectory()
  const path = join(directory, 'jobs.db')
  const backup = join(directory, 'backup.db')
  const executions: ExecutionStore = await openLmdbExecutionStore({ path: join(directory, 'executions.db') })
  onTestFinished(() => executions.close())
  const gate = join(directory, 'gate')
  const first = await serve(path)
  let current = first.link
  // The node goes on whatever requester is behind its link.
  const link: Link = {
    handshake: (request) => current.handshake(request),
    poll: (request, signal) => current.poll(request, signal),
    acknowledge: (request) => current.acknowledge(request),
    report: (request) => current.report(request),
    heartbeat: (request) => current.heartbeat(request),
    demands: (request, signal) => current.demands(request, signal),
    supply: (request, open, signal) => current.supply(request, open, signal),
  }
  const side = await startComputeSide({ store: executions, link, dataDir: directory })
  // In progress at the moment of the backup, and ended since.
  const known = await submit(first.jobs, `while [ ! -e ${gate} ]; do sleep 0.02; done; echo known`)
  await untilState(first.jobs, known, 'Running')
  await first.stop()
  copyFileSync(path, backup)

  const second = await serve(path)
  current = second.link
  writeFileSync(gate, '')
  await untilState(second.jobs, known, 'Completed')
  const lost = await submit(second.jobs, 'echo lost')
  const lostRunning = await submit(second.jobs, 'sleep 600')
  await untilState(second.jobs, lost, 'Completed')
  await untilState(second.jobs, lostRunning, 'Running')
  const [orphan] = (await second.jobs.listExecutions({ jobId: lost })).items
  await second.stop()

  const third = await serve(backup, true)
  current = third.link
  await untilState(third.jobs, known, 'Completed')
  const [told, ...more] = (await third.jobs.listExecutions({ jobId: known })).items
  assert.deepEqual([told?.state, more.length], ['Completed', 0])
  const { items } = await third.jobs.listHistory({ jobId: known })
  assert.ok(items.some(({ event, newState }) => event.topic === 'Reconciliation' && newState === 'Completed'))
  await eventually('what runs and is not known is ended', async () => {
    const running = await executions.listExecutions({ inProgress: true })
    return running.items.length === 0
  })
  const { orphans } = await side.removeUnasked({})
  assert.equal(orphans.count, 2)
  assert.ok(orphans.ids.includes(orphan?.id ?? ''))
  assert.equal((await executions.getExecution(orphan?.id ?? ''))?.state, 'Completed')
  // It goes on as ever.
  await untilState(third.jobs, await submit(third.jobs, 'echo next'), 'Completed')
  for (const store of [third.jobs, executions]) assert.deepEqual((await store.check()).findings, [])
})
