import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { JobSpec } from '@saltcod/bacalhau-records'
import { openMemoryExecutionStore, openMemoryJobStore } from '@saltcod/store-memory'
import { pino } from 'pino'
import { onTestFinished, test } from 'vitest'
import { eventually, until } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import type { Link } from '../../src/link/link.ts'
import { LinkError } from '../../src/link/link-error.ts'
import { farewells } from '../../src/requester/farewells.ts'
import { startRequester } from '../../src/requester/requester.ts'
import { DEFAULT_REQUESTER_SETTINGS } from '../../src/requester/settings.ts'
import { Retention } from '../../src/retention/retention.ts'
import { NODE_ID, shellJob, startComputeSide } from '../compute/fixture.ts'

const HOUR_MS = 3_600_000

/** A requester and the parts of its retention, with a clock of the test's own. */
async function world() {
  let aheadMs = 0
  const clock = (): number => Date.now() + aheadMs
  const log = pino({ level: 'silent' })
  const jobs = await openMemoryJobStore<JobSpec>({ clock })
  const settings = DEFAULT_REQUESTER_SETTINGS
  const requester = startRequester({ store: jobs, nodeId: 'requester', settings, log, clock })
  onTestFinished(() => requester.stop())
  const retention = new Retention({
    jobs,
    compute: null,
    rules: [{ maxAgeMs: HOUR_MS }],
    foldAfterMs: null,
    clockStep: null,
    archive: null,
    farewells: (jobId) => farewells(requester.context, jobId),
    log,
    clock,
  })
  const dataDir = temporaryDirectory()
  const executions = await openMemoryExecutionStore()
  const cable = { isCut: false }
  const refuseCut = (): void => {
    if (cable.isCut) throw new LinkError('LINK_CLOSED', 'the cable is cut')
  }
  // What was asked before the cut may be answered behind it, and comes to nobody either.
  const over = async <T>(call: () => Promise<T>): Promise<T> => {
    refuseCut()
    const answer = await call()
    refuseCut()
    return answer
  }
  const { link: end } = requester
  const link: Link = {
    handshake: (request) => over(() => end.handshake(request)),
    poll: (request, signal) => over(() => end.poll({ ...request, waitMs: 100 }, signal)),
    acknowledge: (request) => over(() => end.acknowledge(request)),
    report: (request) => over(() => end.report(request)),
    heartbeat: (request) => over(() => end.heartbeat(request)),
    demands: (request, signal) => over(() => end.demands({ ...request, waitMs: 100 }, signal)),
    supply: (request, open, signal) => over(() => end.supply(request, open, signal)),
  }
  const join = () => startComputeSide({ store: executions, link, dataDir })
  const run = async (): Promise<string> => {
    const { spec } = shellJob('echo out; echo kept > "$SALTCOD_RESULTS/file" 2>/dev/null || true')
    const submitted = await jobs.submitJob({ type: 'batch', count: 1, spec: spec as unknown as JobSpec })
    await until(
      async () => (await jobs.getJob(submitted.job.id))?.state,
      (state) => state === 'Completed',
    )
    return submitted.job.id
  }
  const step = (ms: number): void => {
    aheadMs += ms
  }
  return { jobs, requester, retention, executions, dataDir, clock, cable, join, run, step }
}

/** What lies in the directories of a node's runs and results. */
const filesIn = (dataDir: string): string[] =>
  ['work', 'results'].flatMap((name) =>
    existsSync(join(dataDir, name)) ? readdirSync(join(dataDir, name)) : [],
  )

test('a node that was away while a job was removed has nothing of it left when it is back', async () => {
  const { jobs, retention, executions, dataDir, clock, join: start, run, step } = await world()
  const side = await start()
  const [removed, held] = [await run(), await run()]
  await jobs.holdJob({ jobId: held, reason: 'to be looked at' })
  await side.stop(0)
  assert.equal(filesIn(dataDir).length, 2)
  step(2 * HOUR_MS)
  assert.equal((await retention.run()).removedJobs, 1)
  assert.equal(await jobs.getJob(removed), null)
  // It is away for days, and nothing else reminds of it.
  step(72 * HOUR_MS)
  const returnedMs = clock()
  await start()
  await eventually('nothing is left', async () => {
    const { items } = await executions.listExecutions({ jobId: removed })
    return items.length === 0 && filesIn(dataDir).length === 1
  })
  assert.ok(clock() - returnedMs < HOUR_MS)
  const [kept] = (await executions.listExecutions({ jobId: held })).items
  assert.deepEqual(filesIn(dataDir), [kept?.id])
  await eventually('the order is done', async () => (await jobs.outboxDestinations()).length === 0)
  assert.deepEqual(
    (await executions.counts({ kind: 'execution' })).map(({ records }) => records),
    [1],
  )
  for (const store of [jobs, executions]) assert.deepEqual((await store.check()).findings, [])
})

test('what a node was at while its job was stopped and removed has nothing of it left when that is back', async () => {
  const { jobs, retention, executions, dataDir, cable, join: start, step } = await world()
  await start()
  const { spec } = shellJob('echo begun; sleep 600')
  const { job } = await jobs.submitJob({ type: 'batch', count: 1, spec: spec as unknown as JobSpec })
  await eventually('it runs', async () => (await jobs.getJob(job.id))?.state === 'Running')
  cable.isCut = true
  await jobs.transitionJob({ jobId: job.id, to: 'Stopped', evaluation: { trigger: 'job-cancel' } })
  await eventually('it is given up', async () => {
    const { items } = await jobs.listExecutions({ jobId: job.id, inProgress: true })
    return items.length === 0
  })
  step(2 * HOUR_MS)
  assert.equal((await retention.run()).removedJobs, 1)
  step(72 * HOUR_MS)
  const [there] = (await executions.listExecutions({ jobId: job.id })).items
  assert.equal(there?.state, 'Running')
  cable.isCut = false
  await eventually('nothing is left', async () => {
    const { items } = await executions.listExecutions({ jobId: job.id })
    return items.length === 0 && filesIn(dataDir).length === 0
  })
  await eventually('the orders are done', async () => (await jobs.outboxDestinations()).length === 0)
  for (const store of [jobs, executions]) assert.deepEqual((await store.check()).findings, [])
})

test('a node that was deleted is told nothing', async () => {
  const { jobs, requester, retention, join: start, run, step } = await world()
  const side = await start()
  await run()
  await side.stop(0)
  await requester.context.membership.delete(NODE_ID)
  step(2 * HOUR_MS)
  assert.equal((await retention.run()).removedJobs, 1)
  assert.deepEqual(await jobs.outboxDestinations(), [])
})
