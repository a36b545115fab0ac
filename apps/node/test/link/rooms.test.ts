import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { JobSpec } from '@saltcod/bacalhau-records'
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

test('a compute side works on over HTTP while its requester is away, and shakes hands when that is back', async () => {
  const jobs = await openMemoryJobStore<JobSpec>()
  const dataDir = temporaryDirectory()
  const begin = async (port: number) => {
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
  const first = await begin(0)
  const link = new HttpLink(`http://127.0.0.1:${first.port}`)
  onTestFinished(() => link.close())
  await startComputeSide({ store: await openMemoryExecutionStore(), link, dataDir })

  const submit = async (script: string): Promise<string> => {
    const { spec } = shellJob(script)
    return (await jobs.submitJob({ type: 'batch', count: 1, spec: spec as unknown as JobSpec })).job.id
  }
  const stateOf = async (id: string): Promise<string | undefined> => (await jobs.getJob(id))?.state
  const gate = join(dataDir, 'gate')
  const runs = join(dataDir, 'runs')
  const slow = await submit(`echo run >> ${runs}; while [ ! -e ${gate} ]; do sleep 0.02; done; echo done`)
  await eventually('it has begun', () => readFileSync(runs, { encoding: 'utf8', flag: 'a+' }) !== '')
  await until(
    () => stateOf(slow),
    (state) => state === 'Running',
  )
  await first.stop()
  // Submitted while nobody looks after it.
  const later = await submit('echo later')
  writeFileSync(gate, '')
  const { requester } = await begin(first.port)
  for (const id of [slow, later]) {
    await until(
      () => stateOf(id),
      (state) => state === 'Completed',
    )
  }
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
