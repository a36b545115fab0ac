import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import type { JobSpec } from '@saltcod/bacalhau-records'
import type { JobStore } from '@saltcod/store-core'
import { openMemoryExecutionStore, openMemoryJobStore } from '@saltcod/store-memory'
import { pino } from 'pino'
import { onTestFinished, test } from 'vitest'
import { eventually, until } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { createHttpEndpoint } from '../../src/link/http-endpoint.ts'
import { HttpLink } from '../../src/link/http-link.ts'
import { startRequester } from '../../src/requester/requester.ts'
import { DEFAULT_REQUESTER_SETTINGS } from '../../src/requester/settings.ts'
import { NODE_ID, shellJob, startComputeSide } from '../compute/fixture.ts'

/** A requester that serves its link over HTTP, by a port or any. */
async function serve(jobs: JobStore<JobSpec>, port: number) {
  const requester = startRequester({
    store: jobs,
    nodeId: 'requester',
    settings: DEFAULT_REQUESTER_SETTINGS,
    log: pino({ level: 'silent' }),
  })
  const server = createHttpEndpoint(requester.link)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  let stopping: Promise<void> | undefined
  const end = async (): Promise<void> => {
    server.close()
    server.closeAllConnections()
    await requester.stop()
  }
  const stop = async (): Promise<void> => {
    stopping ??= end()
    await stopping
  }
  onTestFinished(stop)
  return { requester, port: (server.address() as AddressInfo).port, stop }
}

/** A compute side that reaches its requester by a port. */
async function join(port: number, dataDir: string): Promise<void> {
  const link = new HttpLink([`http://127.0.0.1:${port}`])
  onTestFinished(() => link.close())
  await startComputeSide({ store: await openMemoryExecutionStore(), link, dataDir })
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

test('a compute side works on over HTTP while its requester is away, and shakes hands when that is back', async () => {
  const jobs = await openMemoryJobStore<JobSpec>()
  const dataDir = temporaryDirectory()
  const first = await serve(jobs, 0)
  await join(first.port, dataDir)
  const gate = resolve(dataDir, 'gate')
  const runs = resolve(dataDir, 'runs')
  const slow = await submit(
    jobs,
    `echo run >> ${runs}; while [ ! -e ${gate} ]; do sleep 0.02; done; echo done`,
  )
  await eventually('it has begun', () => readFileSync(runs, { encoding: 'utf8', flag: 'a+' }) !== '')
  await untilState(jobs, slow, 'Running')
  await first.stop()
  // Submitted while nobody looks after it.
  const later = await submit(jobs, 'echo later')
  writeFileSync(gate, '')
  const { requester } = await serve(jobs, first.port)
  for (const id of [slow, later]) await untilState(jobs, id, 'Completed')
  assert.equal(readFileSync(runs, 'utf8'), 'run\n')
  const [execution, ...more] = (await jobs.listExecutions({ jobId: slow })).items
  assert.equal(more.length, 0)
  const demand = {
    kind: 'log',
    executionId: execution?.id ?? '',
    follow: true,
    tail: false,
    from: null,
  } as const
  const texts: string[] = []
  for await (const { text } of requester.context.demands.read(NODE_ID, demand, AbortSignal.timeout(20_000)))
    texts.push(text)
  assert.deepEqual(texts, ['done\n'])
})

test('a compute side that goes on gets the orders of a requester whose store is another one, and counts lower', async () => {
  const dataDir = temporaryDirectory()
  const before = await openMemoryJobStore<JobSpec>()
  const first = await serve(before, 0)
  await join(first.port, dataDir)
  for (const text of ['one', 'two', 'three'])
    await untilState(before, await submit(before, `echo ${text}`), 'Completed')
  await first.stop()
  const after = await openMemoryJobStore<JobSpec>()
  await serve(after, first.port)
  const id = await submit(after, 'echo four')
  await untilState(after, id, 'Completed')
  const { sequence } = await before.info()
  assert.ok((await after.info()).sequence < sequence)
  // Nothing that was acknowledged before takes an order away.
  await until(
    () => after.outboxDestinations(),
    (destinations) => destinations.length === 0,
  )
})
