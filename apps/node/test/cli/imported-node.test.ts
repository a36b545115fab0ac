import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WireGetJobAnswer, WireHistory, WireJob, WirePage } from '@saltcod/bacalhau-records'
import { afterAll, expect, test } from 'vitest'
import {
  completedJob,
  executionRecord,
  type JobToWrite,
  jobRecord,
  jobStoreBytes,
} from '../../../../test/bacalhau-writer.ts'
import { until } from '../../../../test/eventually.ts'
import { ProgramSession } from '../../../../test/program-session.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { type Served, serveNode } from './binary.ts'

const inspector = new ProgramSession(new URL('../../../inspect/dist/cli/run.js', import.meta.url))
afterAll(() => inspector.close())

/** A job that was running as its node died. */
function runningJob(id: string, engine: string): JobToWrite {
  const [task] = jobRecord(id)['Tasks'] as readonly object[]
  const Tasks = [{ ...task, Engine: { Type: engine, Params: {} } }]
  const executionId = id.replace('j', 'e')
  return {
    ...completedJob(id, { Tasks, State: { StateType: 'Running' } }),
    executions: { [executionId]: executionRecord(executionId, id, { ComputeState: { StateType: 5 } }) },
  }
}

async function answer<T>(node: Served, path: string, body?: object): Promise<T> {
  const request = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
  const response = await fetch(`${node.url}/api/v1/${path}`, {
    ...request,
    headers: { 'content-type': 'application/json' },
  })
  expect([path, response.status]).toEqual([path, 200])
  return (await response.json()) as T
}

test('a node on imported stores ends no job that it cannot run by waiting, goes on with the others, and gives all of them up when it is told to', async () => {
  const directory = temporaryDirectory()
  const source = join(directory, 'bacalhau')
  const repository = join(directory, 'repository')
  mkdirSync(join(source, 'orchestrator'), { recursive: true })
  const jobs = {
    'j-flying': runningJob('j-flying', 'flying'),
    'j-noop': runningJob('j-noop', 'noop'),
    'j-old': completedJob('j-old'),
  }
  writeFileSync(join(source, 'orchestrator', 'state_boltdb.db'), jobStoreBytes(jobs))
  const imported = await inspector.run(['import', source, '--to', repository, '--apply'])
  expect([imported.code, imported.stderr]).toEqual([0, ''])
  expect(imported.stdout).toContain('comes in as Stopped: it needs the engine flying, which no node here has')

  const node = await serveNode(repository)
  const stopped = await answer<WireGetJobAnswer>(node, 'orchestrator/jobs/j-flying?include=executions')
  expect(stopped.Job.State).toMatchObject({
    StateType: 'Stopped',
    Message: 'stopped as it was imported: it needs the engine flying, which no node here has',
  })
  const { Items } = await answer<WirePage<WireHistory>>(node, 'orchestrator/jobs/j-flying/history')
  expect(Items.at(-1)?.Event.Topic).toBe('Import')
  const states = async (): Promise<unknown> =>
    (await answer<WireGetJobAnswer>(node, 'orchestrator/jobs/j-noop')).Job.State.StateType
  await until(states, (state) => state === 'Completed')

  await answer(node, 'saltcod/gc', { maxCount: 0 })
  expect((await answer<WirePage<WireJob>>(node, 'orchestrator/jobs')).Items).toEqual([])
  expect((await inspector.run(['check', repository])).code).toBe(0)
})
