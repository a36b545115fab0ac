import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Fixture, inspect, inspectJson, makeFixture, SECRET } from './fixture.ts'

// Each run of the program is a process of its own, and a busy machine has little time for it.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

let fixture: Fixture
let archive: string

beforeAll(async () => {
  fixture = await makeFixture()
  archive = join(fixture.directory, 'archive')
})

afterAll(() => fixture.remove())

interface Row {
  readonly id: string
  readonly jobId?: string
  readonly state: string
  readonly source?: string
}

const run = <T>(...args: readonly string[]): T => inspectJson<T>(fixture.directory, ...args)

test('jobs of an archive follow those of the store, each once, filtered and paged', () => {
  const rows = run<Row[]>('jobs', 'jobs.db', '--archive', 'archive', '--state', 'Completed,Failed')
  const ids = ['job-done', 'job-broken', 'job-last-year', 'job-last-week', 'job-yesterday']
  expect(rows.map(({ id }) => id).sort()).toEqual([...ids].sort())
  expect(rows.slice(2).map(({ id }) => id)).toEqual(ids.slice(2))
  expect(new Set(rows.slice(0, 2).map(({ source }) => source))).toEqual(new Set([fixture.jobs]))
  expect(new Set(rows.slice(2).map(({ source }) => source))).toEqual(new Set([archive]))
  expect(run<Row[]>('jobs', 'archive', '--label', 'team=blue').map(({ id }) => id)).toEqual(['job-last-week'])
  expect(run<Row[]>('jobs', 'archive', '--since', '2035-01-01')).toEqual([])
  expect(run<Row[]>('jobs', 'jobs.db')[0]).not.toHaveProperty('source')

  const seen: string[] = []
  let more: string[] = []
  for (let page = 0; page < 8; page++) {
    const { stdout, stderr } = inspect(
      fixture.directory,
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

test('a job of an archive is told like one of a store, secrets hidden', () => {
  const job = run<Row & { executions: Row[] }>('job', 'jobs.db', 'yesterday', '--archive', 'archive')
  expect(job).toMatchObject({ id: 'job-yesterday', state: 'Completed', source: archive })
  expect(job.executions.map(({ id }) => id)).toEqual(['exec-yesterday'])
  expect(JSON.stringify(job)).not.toContain(SECRET)
  const stored = run<Row>('job', 'jobs.db', 'done', '--archive', 'archive')
  expect(stored).toMatchObject({ id: 'job-done', source: fixture.jobs })
  const rows = run<Row[]>('executions', 'repository', '--archive', 'archive', '--job', 'job-last-week')
  expect(rows.map(({ id, source }) => [id, source])).toEqual([['exec-last-week', archive]])
  const history = run<{ newState: string; source: string }[]>('history', 'archive', 'exec-last-week')
  expect(history.map(({ newState }) => newState)).toEqual(['AskForBid', 'Failed'])
  expect(history[0]?.source).toBe(archive)
  const why = inspect(fixture.directory, 'why', 'repository', 'exec-yesterday', '--archive', 'archive')
  expect(why.stdout).toMatch(
    /job yesterday .* is Completed[\s\S]*it has left the store[\s\S]*archive restore/,
  )
  const none = inspect(fixture.directory, 'job', 'jobs.db', 'nothing', '--archive', 'archive')
  expect([none.status, none.stderr]).toEqual([1, expect.stringContaining('there is no job nothing')])
})

test('what is no archive, or not read by a verb, is refused clearly', () => {
  const none = inspect(fixture.directory, 'jobs', 'jobs.db', '--archive', 'repository')
  expect([none.status, none.stderr]).toEqual([3, expect.stringContaining('holds no archive')])
  const summary = inspect(fixture.directory, 'summary', 'archive')
  expect([summary.status, summary.stderr]).toEqual([2, expect.stringContaining('archive is an archive')])
})

test('a job of an archive comes back into a stopped store, once, with a backup beside', () => {
  const target = join(fixture.directory, 'repository')
  const back = run<{ id: string; hold: string; backup: string }>('unarchive', 'archive', 'last-week', target)
  expect(back).toMatchObject({ id: 'job-last-week', hold: 'restored from the archive' })
  expect(existsSync(back.backup)).toBe(true)
  expect(run<Row[]>('jobs', target).map(({ id }) => id)).toContain('job-last-week')
  expect(run<Row[]>('jobs', back.backup).map(({ id }) => id)).not.toContain('job-last-week')
  expect(inspect(fixture.directory, 'check', target).status).toBe(0)
  const again = inspect(fixture.directory, 'unarchive', 'archive', 'last-week', target)
  expect([again.status, again.stderr]).toEqual([2, expect.stringContaining('exists already')])
  const rows = run<Row[]>('jobs', target, '--archive', 'archive')
  expect(rows.filter(({ id }) => id === 'job-last-week')).toHaveLength(1)
})

test('du tells what each rule would remove, and what a rewrite would give back', () => {
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
  const { stores } = run<Usage>('du', 'repository')
  const [failed, count, all] = stores[0]?.retention ?? []
  expect(failed).toMatchObject({ rule: 'Failed, older than 0s', jobs: 1 })
  expect(failed?.bytes).toBeGreaterThan(500)
  expect([count?.jobs, all?.rule, all?.jobs]).toEqual([0, 'all rules together', 1])
  expect([stores[1]?.retention, typeof stores[0]?.rewriteGivesBackBytes]).toEqual([null, 'number'])
  const given = inspect(fixture.directory, 'du', 'jobs.db', '--max-count', '0')
  expect(given.stdout).toMatch(/RULE +JOBS +BYTES +HELD +OVERDUE\nended, more than 0 +3 /)
})
