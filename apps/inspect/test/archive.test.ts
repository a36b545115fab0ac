import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ProgramSession } from '../../../test/program-session.ts'
import { type Fixture, makeFixture, type Ran, SECRET } from './fixture.ts'

let fixture: Fixture
let session: ProgramSession
let archive: string

beforeAll(async () => {
  fixture = await makeFixture()
  session = new ProgramSession(new URL('../dist/cli/run.js', import.meta.url))
  archive = join(fixture.directory, 'archive')
})

afterAll(async () => {
  await session.close()
  await fixture.remove()
})

async function inspect(...args: readonly string[]): Promise<Ran> {
  const { code, ...written } = await session.run(args, { cwd: fixture.directory })
  return { status: code, ...written }
}

interface Row {
  readonly id: string
  readonly jobId?: string
  readonly state: string
  readonly source?: string
}

async function run<T>(...args: readonly string[]): Promise<T> {
  const ran = await inspect(...args, '--output', 'json')
  if (ran.status !== 0) throw new Error(`exit code ${ran.status}: ${ran.stderr}`)
  return JSON.parse(ran.stdout) as T
}

test('jobs of an archive follow those of the store, each once, filtered and paged', async () => {
  const rows = await run<Row[]>('jobs', 'jobs.db', '--archive', 'archive', '--state', 'Completed,Failed')
  const ids = ['job-done', 'job-broken', 'job-last-year', 'job-last-week', 'job-yesterday']
  expect(rows.map(({ id }) => id).sort()).toEqual([...ids].sort())
  expect(rows.slice(2).map(({ id }) => id)).toEqual(ids.slice(2))
  expect(new Set(rows.slice(0, 2).map(({ source }) => source))).toEqual(new Set([fixture.jobs]))
  expect(new Set(rows.slice(2).map(({ source }) => source))).toEqual(new Set([archive]))
  expect((await run<Row[]>('jobs', 'archive', '--label', 'team=blue')).map(({ id }) => id)).toEqual([
    'job-last-week',
  ])
  expect(await run<Row[]>('jobs', 'archive', '--since', '2035-01-01')).toEqual([])
  expect((await run<Row[]>('jobs', 'jobs.db'))[0]).not.toHaveProperty('source')

  const seen: string[] = []
  let more: string[] = []
  for (let page = 0; page < 8; page++) {
    const { stdout, stderr } = await inspect(
      ...[
        'jobs',
        'jobs.db',
        '--archive',
        'archive',
        '--limit',
        '3',
        '--oldest-first',
        '--output',
        'ndjson',
        ...more,
      ],
    )
    seen.push(
      ...stdout
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as Row).id),
    )
    const cursor = /--cursor (\S+)/.exec(stderr)?.[1]
    if (cursor === undefined) break
    more = ['--cursor', cursor]
  }
  expect(seen).toHaveLength(8)
  expect(seen.slice(5)).toEqual(['job-yesterday', 'job-last-week', 'job-last-year'])
})

test('a job of an archive is told like one of a store, secrets hidden', async () => {
  const job = await run<Row & { executions: Row[] }>('job', 'jobs.db', 'yesterday', '--archive', 'archive')
  expect(job).toMatchObject({ id: 'job-yesterday', state: 'Completed', source: archive })
  expect(job.executions.map(({ id }) => id)).toEqual(['exec-yesterday'])
  expect(JSON.stringify(job)).not.toContain(SECRET)
  const stored = await run<Row>('job', 'jobs.db', 'done', '--archive', 'archive')
  expect(stored).toMatchObject({ id: 'job-done', source: fixture.jobs })
  const rows = await run<Row[]>('executions', 'repository', '--archive', 'archive', '--job', 'job-last-week')
  expect(rows.map(({ id, source }) => [id, source])).toEqual([['exec-last-week', archive]])
  const history = await run<{ newState: string; source: string }[]>('history', 'archive', 'exec-last-week')
  expect(history.map(({ newState }) => newState)).toEqual(['AskForBid', 'Failed'])
  expect(history[0]?.source).toBe(archive)
  const why = await inspect('why', 'repository', 'exec-yesterday', '--archive', 'archive')
  expect(why.stdout).toMatch(
    /job yesterday .* is Completed[\s\S]*it has left the store[\s\S]*archive restore/,
  )
  const none = await inspect('job', 'jobs.db', 'nothing', '--archive', 'archive')
  expect([none.status, none.stderr]).toEqual([1, expect.stringContaining('there is no job nothing')])
})

test('what is no archive, or not read by a verb, is refused clearly', async () => {
  const none = await inspect('jobs', 'jobs.db', '--archive', 'repository')
  expect([none.status, none.stderr]).toEqual([3, expect.stringContaining('holds no archive')])
  const summary = await inspect('summary', 'archive')
  expect([summary.status, summary.stderr]).toEqual([2, expect.stringContaining('archive is an archive')])
})

test('a job of an archive comes back into a stopped store, once, with a backup beside', async () => {
  const target = join(fixture.directory, 'repository')
  const back = await run<{ id: string; hold: string; backup: string }>(
    'unarchive',
    'archive',
    'last-week',
    target,
  )
  expect(back).toMatchObject({ id: 'job-last-week', hold: 'restored from the archive' })
  expect(existsSync(back.backup)).toBe(true)
  expect((await run<Row[]>('jobs', target)).map(({ id }) => id)).toContain('job-last-week')
  expect((await run<Row[]>('jobs', back.backup)).map(({ id }) => id)).not.toContain('job-last-week')
  expect((await inspect('check', target)).status).toBe(0)
  const again = await inspect('unarchive', 'archive', 'last-week', target)
  expect([again.status, again.stderr]).toEqual([2, expect.stringContaining('exists already')])
  const rows = await run<Row[]>('jobs', target, '--archive', 'archive')
  expect(rows.filter(({ id }) => id === 'job-last-week')).toHaveLength(1)
})

test('du tells what each rule would remove, and what a rewrite would give back', async () => {
  interface Usage {
    readonly stores: readonly {
      readonly retention:
        | readonly { readonly rule: string; readonly jobs: number; readonly bytes: number }[]
        | null
      readonly rewriteGivesBackBytes: number
    }[]
  }
  const config = join(fixture.directory, 'repository/saltcod.yaml')
  writeFileSync(config, 'Retention:\n  - { State: Failed, MaxAge: 0s }\n  - { MaxCount: 100 }\n')
  const { stores } = await run<Usage>('du', 'repository')
  const [failed, count, all] = stores[0]?.retention ?? []
  expect(failed).toMatchObject({ rule: 'Failed, older than 0s', jobs: 1 })
  expect(failed?.bytes).toBeGreaterThan(500)
  expect([count?.jobs, all?.rule, all?.jobs]).toEqual([0, 'all rules together', 1])
  expect([stores[1]?.retention, typeof stores[0]?.rewriteGivesBackBytes]).toEqual([null, 'number'])
  const given = await inspect('du', 'jobs.db', '--max-count', '0')
  expect(given.stdout).toMatch(/RULE +JOBS +BYTES +HELD +OVERDUE\nended, more than 0 +3 /)
})
