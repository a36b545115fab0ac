import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { SECRET } from './fixture.ts'
import { useFixtureSession } from './fixture-session.ts'

interface JobRow {
  readonly id: string
  readonly name: string
  readonly namespace: string
  readonly type: string
  readonly state: string
  readonly createdAt: string
  readonly finishedAt: string | null
}

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

const session = useFixtureSession()
const { run, runJson } = session

describe('jobs', () => {
  test('a row has what scripts rely on', async () => {
    const rows = await runJson<JobRow[]>('jobs', 'repository')
    expect(rows.map(({ id }) => id).sort()).toEqual([
      'job-broken',
      'job-done',
      'job-nightly',
      'job-pending',
      'job-stopped',
    ])
    for (const row of rows) {
      expect(row).toMatchObject({
        namespace: 'default',
        type: 'batch',
        createdAt: expect.stringMatching(RFC3339),
      })
      const ended = ['Completed', 'Failed', 'Stopped'].includes(row.state)
      expect(row.finishedAt).toEqual(ended ? expect.stringMatching(RFC3339) : null)
    }
  })

  test('ndjson, yaml and csv tell the same', async () => {
    const rows = await runJson<JobRow[]>('jobs', 'jobs.db')
    const ndjson = (await run('jobs', 'jobs.db', '--output', 'ndjson')).stdout.trim().split('\n')
    expect(ndjson.map((line) => JSON.parse(line))).toEqual(rows)
    expect(parse((await run('jobs', 'jobs.db', '--output', 'yaml')).stdout)).toEqual(rows)
    const csv = (await run('jobs', 'jobs.db', '--output', 'csv')).stdout.trim().split('\n')
    expect(csv.slice(1).map((line) => line.split(',')[0])).toEqual(rows.map(({ id }) => id))
  })

  test('pages join without gap and without overlap', async () => {
    const all = (await runJson<JobRow[]>('jobs', 'jobs.db')).map(({ id }) => id)
    const ids: string[] = []
    let cursor: string | undefined
    do {
      const more = cursor === undefined ? [] : ['--cursor', cursor]
      const { stdout, stderr } = await run('jobs', 'jobs.db', '--limit', '2', '--output', 'json', ...more)
      ids.push(...(JSON.parse(stdout) as JobRow[]).map(({ id }) => id))
      cursor = /--cursor (\S+)/.exec(stderr)?.[1]
    } while (cursor !== undefined)
    expect(ids).toEqual(all)
    expect((await run('jobs', 'jobs.db', '--cursor', 'nonsense')).status).toBe(2)
  })

  test.for([
    [
      ['--state', 'failed,Completed'],
      ['job-broken', 'job-done'],
    ],
    [
      ['--labels', 'team=blue'],
      ['job-nightly', 'job-pending'],
    ],
    [
      ['--label', 'team in (blue,x), team'],
      ['job-nightly', 'job-pending'],
    ],
    [
      ['--label', 'team!=blue', '--label', 'team'],
      ['job-broken', 'job-done', 'job-stopped'],
    ],
    [['--in-progress'], ['job-nightly', 'job-pending']],
    [['--namespace', 'other'], []],
    [['--type', 'service'], []],
    [['--since', '2999-01-01'], []],
  ] as const)('filter %j', async ([filter, ids]) => {
    const rows = await runJson<JobRow[]>('jobs', 'jobs.db', ...filter)
    expect(rows.map(({ id }) => id).sort()).toEqual(ids)
  })
})

test('secrets are hidden unless they are asked for, in every command that could show them', async () => {
  const commands = [
    ['job', 'jobs.db', 'nightly'],
    ['execution', 'executions.db', 'e-1c9f63aa'],
    ['execution', 'executions.db', 'exec-done'],
    ['execution', 'jobs.db', 'exec-broken'],
    ['job', 'jobs.db', 'broken', '--output', 'json'],
    ['get', 'executions.db', 'executions', 'exec-done'],
    ['dump', 'executions.db', '--all'],
    ['export', 'executions.db'],
    ['get', 'jobs.db', 'specs', '["job-nightly",1]'],
    ['dump', 'jobs.db', '--all'],
    ['export', 'jobs.db'],
  ]
  for (const command of commands) {
    const hidden = await run(...command)
    expect(hidden.status).toBe(0)
    expect(hidden.stdout).not.toContain(SECRET)
    expect((await run(...command, '--show-secrets')).stdout).toContain(SECRET)
  }
  for (const store of ['jobs.db', 'executions.db']) {
    expect((await run('executions', store, '--output', 'json')).stdout).not.toContain(SECRET)
  }
  expect((await run('execution', 'executions.db', 'exec-done')).stdout).toContain('the token is [redacted]!')
  const hex = await run('dump', 'jobs.db', 'specs', '--format', 'utf8')
  expect(hex.status).toBe(2)
  expect(hex.stdout).not.toContain(SECRET)
})

test('a label is no environment variable, whatever its name', async () => {
  const specs = (await run('dump', 'jobs.db', 'specs', '--all', '--output', 'json')).stdout
  expect(specs).toContain('"env":"prod"')
})

test('what a job wrote cannot command the terminal', async () => {
  for (const format of ['table', 'json', 'ndjson', 'yaml', 'csv']) {
    const { stdout } = await run('executions', 'jobs.db', '--state', 'Failed', '--output', format)
    expect(stdout).toContain('exit code 3')
    expect(stdout).not.toContain('\u001b')
  }
})

describe('exit codes and messages', () => {
  test.for([
    [['job', 'jobs.db', 'nobody'], 1, 'Error: there is no job nobody in jobs.db'],
    [['jobs', 'executions.db'], 2, 'Error: executions.db is no store of jobs'],
    [['jobs', 'jobs.db', '--limit', '0'], 2, 'It must be a whole number from 1.'],
    [['jobs', 'nothing.db'], 3, 'Error: there is nothing at nothing.db'],
    [['info', 'session.fixture.txt'], 3, 'Error: there is nothing at session.fixture.txt'],
    [['jobs', 'jobs.db', '--label', 'a b'], 2, 'cannot read the label selector "a b"'],
    [['jbos', 'jobs.db'], 2, "Error: unknown command 'jbos'"],
  ] as const)('%j', async ([args, status, message]) => {
    const ran = await run(...args)
    expect({ status: ran.status, stdout: ran.stdout }).toEqual({ status, stdout: '' })
    expect(ran.stderr).toContain(message)
    expect(ran.stderr).not.toMatch(/\n\s+at /)
  })
})

test('why tells the state, its cause, what comes next, and what happened in order', async () => {
  const text = (await run('why', 'repository', 'nightly')).stdout
  expect(text).toContain('is Running since')
  expect(text).toContain('execution e-1c9f63aa on n-1 ran when the node ended')
  expect(text).toContain('recover --plan: execution e-1c9f63aa: fail')
  expect(text).toContain('times out in')
  const { timeline, next } = await runJson<{ timeline: { at: string; who: string }[]; next: string[] }>(
    'why',
    'repository',
    'nightly',
  )
  const times = timeline.map(({ at }) => at)
  expect(times).toEqual([...times].sort())
  expect(timeline.map(({ who }) => who)).toContain('node n-1')
  expect(next).not.toEqual([])
  expect((await run('why', 'jobs.db', 'patient')).stdout).toContain('has been due for')
  expect((await run('why', 'jobs.db', 'broken')).stdout).toContain('all executions failed')
})

test('summary counts by state and names the last changes', async () => {
  const summary = await runJson<{ stores: Record<string, unknown>[] }>('summary', 'repository')
  const [jobs, executions] = summary.stores
  expect(jobs).toMatchObject({
    kind: 'jobs',
    nodeId: 'n-1',
    jobs: { Completed: 1, Failed: 1, Pending: 1, Running: 1, Stopped: 1 },
    evaluations: { complete: 4, pending: 1 },
  })
  expect(executions).toMatchObject({
    kind: 'executions',
    executions: { Completed: 1, Created: 1, Failed: 1, Running: 1 },
  })
  expect(jobs?.['lastChanges']).toHaveLength(5)
  expect(jobs?.['recentFailures']).toMatchObject([{ name: 'broken', message: 'all executions failed' }])
  const stopped = { kind: 'node-not-running', message: 'the node is stopped; 2 jobs in progress' }
  expect(jobs?.['stuck']).toContainEqual(expect.objectContaining(stopped))
})

test('recover tells what a restart would do, with --plan and without', async () => {
  const plan = await runJson<{ executionId: string; action: string }[]>('recover', 'repository', '--plan')
  expect(plan.map(({ executionId, action }) => [executionId, action]).sort()).toEqual([
    ['e-1c9f63aa', 'fail'],
    ['exec-created', 'admit'],
  ])
  const same = await runJson<{ executionId: string; action: string }[]>('recover', 'repository')
  expect(same.map(({ executionId, action }) => [executionId, action])).toEqual(
    plan.map(({ executionId, action }) => [executionId, action]),
  )
})
