import { INDEX, STORE_TABLES, tuple } from '@saltcod/store-core'
import { openLmdbKv } from '@saltcod/store-lmdb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ProgramSession } from '../../../../test/program-session.ts'
import { storePaths } from '../chaos/stores-of.ts'
import { noopJob } from '../node-fixture.ts'
import { COMMANDS, jobUntil, serveNode, temporaryDirectory } from './binary.ts'

let session: ProgramSession
beforeAll(() => {
  session = new ProgramSession(COMMANDS)
})
afterAll(() => session.close())

test('job list says how many jobs are missing by the counters, where one page holds all', async () => {
  const directory = temporaryDirectory()
  const first = await serveNode(directory)
  for (const name of ['one', 'two', 'three']) {
    const response = await fetch(`${first.url}/api/v1/orchestrator/jobs`, {
      method: 'PUT',
      body: JSON.stringify({ Job: noopJob({ Name: name }) }),
    })
    const { JobID } = (await response.json()) as { readonly JobID: string }
    await jobUntil(first.url, JobID, 'Completed')
  }
  expect((await session.run(['job', 'list'], { env: first.env })).stderr).toBe('')
  await first.end()
  const kv = await openLmdbKv({ path: storePaths(directory).jobs, tables: STORE_TABLES })
  await kv.write((rows) => {
    const [key] = rows.keys('index', { gte: tuple(INDEX.jobByCreation), limit: 1 })
    if (key !== undefined) rows.remove('index', key)
  })
  await kv.close()

  const second = await serveNode(directory)
  const run = (...options: readonly string[]) => session.run(['job', 'list', ...options], { env: second.env })
  const whole = await run('--output', 'json')
  expect(JSON.parse(whole.stdout)).toHaveLength(2)
  expect(whole.stderr).toBe('Warning: 1 missing from this listing: run saltcod-inspect check on the store\n')
  expect(second.log()).toContain('jobs are missing from a listing by the counters')
  expect((await run('--state', 'Completed')).stderr).toBe('')
  expect((await run('--limit', '1')).stderr).toMatch(/^More: /)
}, 60_000)
