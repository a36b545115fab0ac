import { STORE_TABLES } from '@saltcod/store-core/backend'
import { INDEX, idTuple, tuple } from '@saltcod/store-core/format'
import { openLmdbKv } from '@saltcod/store-lmdb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ProgramSession } from '../../../../test/program-session.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { storePaths } from '../chaos/stores-of.ts'
import { noopJob } from '../node-fixture.ts'
import { COMMANDS, jobUntil, serveNode } from './binary.ts'

let session: ProgramSession
beforeAll(() => {
  session = new ProgramSession(COMMANDS)
})
afterAll(() => session.close())

/** Submits jobs that complete at once, and returns their ids. */
async function completed(url: string, names: readonly string[]): Promise<string[]> {
  const ids: string[] = []
  for (const name of names) {
    const response = await fetch(`${url}/api/v1/orchestrator/jobs`, {
      method: 'PUT',
      body: JSON.stringify({ Job: noopJob({ Name: name }) }),
    })
    const { JobID } = (await response.json()) as { readonly JobID: string }
    await jobUntil(url, JobID, 'Completed')
    ids.push(JobID)
  }
  return ids
}

test('job list says how many jobs are missing by the counters, where one page holds all', async () => {
  const directory = temporaryDirectory()
  const first = await serveNode(directory)
  await completed(first.url, ['one', 'two', 'three'])
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
}, 120_000)

test('so do the listings of jobs, executions and history where a record is damaged', async () => {
  const directory = temporaryDirectory()
  const first = await serveNode(directory)
  const [one = '', two = ''] = await completed(first.url, ['one', 'two'])
  await first.end()
  const kv = await openLmdbKv({ path: storePaths(directory).jobs, tables: STORE_TABLES })
  await kv.write((rows) => {
    // The records of the second job, and what the first has done.
    const ofFirst = { gte: idTuple('j', one), lt: Buffer.concat([idTuple('j', one), Buffer.of(0xff)]) }
    const hit = [
      ['jobs', rows.range('jobs', { gte: idTuple('j', two), limit: 1 })],
      ['history', rows.range('history', { ...ofFirst, limit: 1 })],
      ['executions', rows.range('executions', { limit: 2 })],
    ] as const
    for (const [table, found] of hit) {
      for (const { key, value } of found) {
        const bytes = Buffer.from(value)
        bytes[5] = (bytes[5] ?? 0) ^ 1
        rows.put(table, key, bytes)
      }
    }
  })
  await kv.close()

  const second = await serveNode(directory)
  const run = async (...args: readonly string[]) => (await session.run(args, { env: second.env })).stderr
  const lacks = (number: number) =>
    `Warning: ${number} missing from this listing: run saltcod-inspect check on the store\n`
  expect(await run('job', 'list')).toBe(lacks(1))
  expect(await run('job', 'list', '--order-by', 'modified_at')).toBe(lacks(1))
  expect(await run('job', 'executions', one)).toBe(lacks(1))
  expect(await run('job', 'history', one)).toBe(lacks(1))
  expect(await run('job', 'describe', one)).toBe(lacks(2))
}, 120_000)
