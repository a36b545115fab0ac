import { copyFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { useFixtureSession } from './fixture-session.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const PAGE_BYTES = 4_096

const session = useFixtureSession()
const { run, runJson } = session

beforeAll(async () => {
  for (const [name, file] of [
    ['no-jobs', 'n-1-requester/jobs.db'],
    ['no-executions', 'n-1-compute/executions.db'],
  ] as const) {
    const copy = join(session.fixture.directory, name)
    cpSync(join(session.fixture.directory, 'repository'), copy, {
      recursive: true,
      filter: (path) => !path.includes('.owner'),
    })
    const bytes = readFileSync(join(copy, file))
    writeFileSync(join(copy, file), bytes.fill(0, 2 * PAGE_BYTES))
  }
  copyFileSync(session.fixture.jobs, join(session.fixture.directory, 'copy.db'))
})

describe('a damaged store', () => {
  for (const [place, damaged, command, shown] of [
    ['no-jobs', 'jobs.db', ['summary'], 'executions of node n-1'],
    ['no-jobs', 'jobs.db', ['counts'], 'executions'],
    ['no-jobs', 'jobs.db', ['executions'], 'exec-failed'],
    ['no-jobs', 'jobs.db', ['why', 'exec-failed'], 'it ended as Failed'],
    ['no-jobs', 'jobs.db', ['execution', 'exec-failed'], 'exec-failed'],
    ['no-jobs', 'jobs.db', ['info'], 'executions.db'],
    ['no-jobs', 'jobs.db', ['recover', '--plan'], 'e-1c9f63aa'],
    ['no-executions', 'executions.db', ['summary'], 'jobs of node n-1'],
    ['no-executions', 'executions.db', ['jobs'], 'nightly'],
    ['no-executions', 'executions.db', ['job', 'nightly'], 'nightly'],
    ['no-executions', 'executions.db', ['why', 'nightly'], 'job nightly'],
    ['no-executions', 'executions.db', ['history', 'nightly'], 'Running'],
  ] as const) {
    test(`of a repository is passed over by ${command.join(' ')} beside a damaged ${damaged}`, async () => {
      const [verb, ...others] = command
      const { status, stdout, stderr } = await run(verb, place, ...others)
      expect(stdout).toContain(shown)
      expect(stderr.match(/Error:/g)).toHaveLength(1)
      expect(stderr).toContain(`${damaged} is damaged`)
      expect(stderr).toMatch(/saltcod-inspect check \S+\.db .*saltcod-inspect salvage \S+\.db TARGET/)
      expect(status).toBe(3)
    })
  }

  test('that may hold what is looked for makes it unreadable rather than missing', async () => {
    expect((await run('job', 'no-jobs', 'nightly')).status).toBe(3)
    expect((await run('why', 'no-jobs', 'nothing')).status).toBe(3)
  })

  test('alone is named with what can be done about it', async () => {
    const { status, stdout, stderr } = await run('summary', 'no-jobs/n-1-requester/jobs.db')
    expect({ status, stdout }).toEqual({ status: 3, stdout: '' })
    expect(stderr).toContain('saltcod-inspect check')
  })
})

describe('one document', () => {
  test('holds an execution that both stores know, or has a line for each', async () => {
    const both = await runJson<{ id: string; store: string }[]>('execution', 'repository', 'e-1c9f63aa')
    expect(both.map(({ id }) => id)).toEqual(['e-1c9f63aa', 'e-1c9f63aa'])
    const alone = await runJson<{ id: string }>('execution', 'jobs.db', 'e-1c9f63aa')
    expect(alone.id).toBe('e-1c9f63aa')
    const lines = (await run('execution', 'repository', 'e-1c9f63aa', '--output', 'ndjson')).stdout
    expect(
      lines
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { id: string }).id),
    ).toEqual(['e-1c9f63aa', 'e-1c9f63aa'])
    const yaml = (await run('execution', 'repository', 'e-1c9f63aa', '--output', 'yaml')).stdout
    expect(yaml.match(/^- id: /gm)).toHaveLength(2)
  })
})

describe('executions --job', () => {
  const idsOf = async (...args: readonly string[]): Promise<string[]> =>
    (await runJson<{ id: string }[]>('executions', ...args)).map(({ id }) => id)

  test('takes a name or an id, in either store', async () => {
    for (const job of ['nightly', 'job-nightly']) {
      expect(await idsOf('repository', '--job', job)).toEqual(['e-1c9f63aa', 'e-1c9f63aa'])
      expect(await idsOf('jobs.db', '--job', job)).toEqual(['e-1c9f63aa'])
    }
    expect(await idsOf('executions.db', '--job', 'exec-done')).toEqual(['exec-done'])
    expect(await idsOf('executions.db', '--job', 'job-of-exec-done')).toEqual(['exec-done'])
  })

  test('of a job that is not there ends as job does', async () => {
    const wanted = await run('job', 'repository', 'nothing')
    for (const args of [[], ['--namespace', 'default']]) {
      const { status, stdout, stderr } = await run('executions', 'repository', '--job', 'nothing', ...args)
      expect({ status, stdout, stderr }).toEqual({ status: 1, stdout: '', stderr: wanted.stderr })
    }
    const other = await run('executions', 'repository', '--job', 'nightly', '--namespace', 'other')
    expect(other).toMatchObject({ status: 1, stdout: '' })
  })
})

test('the cursor of a listing over several stores goes on with the same arguments', async () => {
  const whole = await runJson<{ id: string }[]>('executions', 'repository')
  const paged: { id: string }[] = []
  let cursor: string[] = []
  for (let page = 0; page < 10; page += 1) {
    const { stdout, stderr, status } = await run(
      'executions',
      'repository',
      '--limit',
      '1',
      '--output',
      'json',
      ...cursor,
    )
    expect(status).toBe(0)
    const rows = JSON.parse(stdout) as { id: string }[]
    expect(rows.length).toBeLessThanOrEqual(1)
    paged.push(...rows)
    const more = /^more: (--cursor) (\S+)$/m.exec(stderr)
    if (more === null) break
    cursor = more.slice(1)
  }
  expect(paged.map(({ id }) => id)).toEqual(whole.map(({ id }) => id))
  const foreign = await run('executions', 'repository', '--cursor', 'store:another:x')
  expect(foreign).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('the cursor is of none of these stores'),
  })
})
