import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { completedJob, type JobToWrite, jobStoreBytes } from '../../../test/bacalhau-writer.ts'
import { boltBytes } from '../../../test/bolt-writer.ts'
import { ProgramSession, type SessionRun } from '../../../test/program-session.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

let session: ProgramSession
beforeAll(() => {
  session = new ProgramSession(new URL('../dist/cli/run.js', import.meta.url))
})
afterAll(async () => await session.close())

const NEWER = 'orchestrator/state_boltdb.db'
const OLDER = 'orchestrator_store/jobs.db'

type Row = Readonly<Record<string, unknown>>

class Repository {
  readonly path = temporaryDirectory()

  add(name: string, jobs: Readonly<Record<string, JobToWrite>>): this {
    return this.put(name, jobStoreBytes(jobs, { earlier: name === OLDER }))
  }

  put(name: string, bytes: string | Buffer): this {
    const path = join(this.path, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, bytes)
    return this
  }

  async run(verb: string, ...args: readonly string[]): Promise<SessionRun> {
    return await session.run([verb, this.path, ...args], { cwd: this.path })
  }

  async rows(verb: string, ...args: readonly string[]): Promise<Row[]> {
    const { code, stdout, stderr } = await this.run(verb, ...args, '--output', 'json')
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('Error') })
    const value = JSON.parse(stdout) as Row | Row[]
    return Array.isArray(value) ? value : [value]
  }
}

/** Completed jobs, each with changes of its own. */
function jobs(changes: Readonly<Record<string, Row>>): Record<string, JobToWrite> {
  return Object.fromEntries(Object.entries(changes).map(([id, fields]) => [id, completedJob(id, fields)]))
}

const idsOf = (rows: readonly Row[]): unknown[] => rows.map(({ id }) => id)

test('a record that cannot be read is named with its place and its reason, and the rest is shown', async () => {
  const broken = { ...completedJob('j-00000002'), executions: { 'e-00000002': 'no JSON' } }
  const repository = new Repository().add(NEWER, {
    ...jobs({ 'j-00000001': {}, 'j-00000003': { State: { StateType: 'Dreaming' } } }),
    'j-00000002': broken,
  })
  const listed = await repository.run('jobs', '--output', 'json')
  expect(idsOf(JSON.parse(listed.stdout) as Row[])).toEqual(['j-00000002', 'j-00000001'])
  expect(listed.stderr).toContain(
    'Warning: left-out (unknown-state) of 1 job: jobs/j-00000003/spec: its state "Dreaming" is none of a job',
  )
  const executions = await repository.run('executions', '--output', 'json')
  expect(idsOf(JSON.parse(executions.stdout) as Row[])).toEqual(['e-00000001'])
  expect(executions.stderr).toContain('jobs/j-00000002/executions/e-00000002: its value is no JSON')
  const summary = await repository.run('summary', '--output', 'json')
  expect(JSON.parse(summary.stdout)).toMatchObject({ jobs: { Completed: 2 }, executions: { Completed: 1 } })
  expect(summary.stderr).toContain('left-out (unknown-state) of 1 job')
  expect(await repository.run('export')).toMatchObject({ code: 1 })
})

test('a file at its place that is no BoltDB file any more is never passed by in silence', async () => {
  for (const [place, lost] of [
    [NEWER, Buffer.alloc(40_000)],
    [OLDER, Buffer.alloc(0)],
    ['compute/state_boltdb.db', 'a text'],
  ] as const) {
    const repository = new Repository().add(place === NEWER ? OLDER : NEWER, jobs({ 'j-00000001': {} }))
    const path = join(repository.path, place)
    repository.put(place, lost)
    for (const verb of ['summary', 'jobs', 'check', 'info', 'export'])
      expect(await repository.run(verb), `${verb}, ${place}`).toMatchObject({
        code: 3,
        stdout: expect.stringMatching(/./),
        stderr: expect.stringContaining(`${path} `),
      })
    const imported = await repository.run('import', '--to', join(repository.path, 'to'), '--apply')
    expect(imported, place).toMatchObject({ code: 3, stdout: '' })
    expect(imported.stderr).toMatch(
      /lies where Bacalhau keeps a store, and is no BoltDB file .*\nHint: restore/,
    )
    rmSync(path)
    expect(await repository.run('check'), place).toMatchObject({ code: 0, stderr: '' })
  }
})

test('a file at its place that has no bucket of Bacalhau any more is not passed by either', async () => {
  const repository = new Repository().add(OLDER, jobs({ 'j-00000001': {} }))
  repository.put(NEWER, boltBytes({ other: { rows: { a: 'b' } } }))
  const to = ['--to', join(repository.path, 'to'), '--apply']
  for (const [verb, ...args] of [['summary'], ['jobs'], ['export'], ['import', ...to]] as const)
    expect(await repository.run(verb, ...args), verb).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(
        /lies where Bacalhau keeps a store, and has none of the buckets .*\nHint: restore/,
      ),
    })
})

test('a job of several versions has no difference without a reason once it is imported', async () => {
  const repository = new Repository().add(NEWER, jobs({ 'j-00000001': { Version: 2 } }))
  const to = join(repository.path, 'to')
  expect(await repository.run('import', '--to', to, '--apply')).toMatchObject({ code: 0 })
  const { code, stdout } = await repository.run('diff', to, '--output', 'json')
  expect({ code, found: JSON.parse(stdout) as Row[] }).toMatchObject({
    code: 0,
    found: expect.arrayContaining([
      expect.objectContaining({ id: 'j-00000001 version 1', field: 'modifiedAt' }),
    ]),
  })
})

test('a job that both generations have is shown once, as the newest has it', async () => {
  const repository = new Repository()
    .add(OLDER, jobs({ 'j-00000001': { Name: 'before' }, 'j-00000002': {} }))
    .add(NEWER, jobs({ 'j-00000001': { Name: 'after' }, 'j-00000003': {} }))
  const rows = await repository.rows('jobs')
  expect(
    rows.map(({ id, name, source }) => [id, name, String(source).replace(`${repository.path}/`, '')]),
  ).toEqual([
    ['j-00000003', 'j-00000003', NEWER],
    ['j-00000001', 'after', NEWER],
    ['j-00000002', 'j-00000002', OLDER],
  ])
  expect(idsOf(await repository.rows('executions'))).toEqual(['e-00000003', 'e-00000001', 'e-00000002'])
})

test('of jobs of one name the one in progress has it, and a short id means one job', async () => {
  const repository = new Repository().add(
    NEWER,
    jobs({
      'j-0a000001': { Name: 'nightly', CreateTime: 1_700_000_009_000_000_000 },
      'j-0a000002': { Name: 'nightly', State: { StateType: 'Running' } },
      'j-0b000003': { Name: 'nightly', Namespace: 'other' },
    }),
  )
  expect(idsOf(await repository.rows('job', 'nightly'))).toEqual(['j-0a000002'])
  expect(idsOf(await repository.rows('job', 'nightly', '--namespace', 'other'))).toEqual(['j-0b000003'])
  expect(idsOf(await repository.rows('job', 'j-0b00'))).toEqual(['j-0b000003'])
  const several = await repository.run('job', 'j-0a00')
  expect(several.code).toBe(2)
  expect(several.stderr).toContain('multiple jobs found for id j-0a00: j-0a000001, j-0a000002')
  expect(await repository.run('job', 'nobody')).toMatchObject({ code: 1, stdout: '' })
  // No index leads to it here.
  expect(idsOf(await repository.rows('execution', 'e-0b00'))).toEqual(['e-0b000003'])
})

test('filters, order and cursors are those of our stores', async () => {
  const at = (second: number): number => 1_700_000_000_000_000_000 + second * 1_000_000_000
  const repository = new Repository().add(
    NEWER,
    jobs({
      'j-00000001': { CreateTime: at(3), Labels: { team: 'blue' } },
      'j-00000002': { CreateTime: at(1), Type: 'ops' },
      'j-00000003': { CreateTime: at(2), State: { StateType: 'Failed', Message: 'it broke' } },
      'j-00000004': { CreateTime: at(4), State: { StateType: 'Running' }, Namespace: 'other' },
    }),
  )
  const cases: [readonly string[], readonly number[]][] = [
    [[], [4, 1, 3, 2]],
    [['--oldest-first'], [2, 3, 1, 4]],
    [['--state', 'Failed'], [3]],
    [['--type', 'ops'], [2]],
    [['--namespace', 'other'], [4]],
    [['--labels', 'team=blue'], [1]],
    [
      ['--labels', 'team!=blue'],
      [4, 3, 2],
    ],
    [['--in-progress'], [4]],
    [
      ['--since', '2023-11-14T22:13:22Z'],
      [4, 1, 3],
    ],
  ]
  for (const [filter, wanted] of cases)
    expect(idsOf(await repository.rows('jobs', ...filter)), filter.join(' ')).toEqual(
      wanted.map((number) => `j-0000000${number}`),
    )
  const paged: unknown[] = []
  let more: readonly string[] = []
  do {
    const { stdout, stderr } = await repository.run('jobs', '--limit', '1', '--output', 'json', ...more)
    paged.push(...idsOf(JSON.parse(stdout) as Row[]))
    const cursor = /--cursor (\S+)/.exec(stderr)?.[1]
    more = cursor === undefined ? [] : ['--cursor', cursor]
  } while (more.length > 0)
  expect(paged).toEqual(['j-00000004', 'j-00000001', 'j-00000003', 'j-00000002'])
  expect(await repository.run('jobs', '--cursor', 'nonsense')).toMatchObject({ code: 2 })
})

test('a job with more executions than are read at a time has them all', async () => {
  const one = completedJob('j-00000001')
  const [execution] = Object.values(one.executions ?? {}) as Row[]
  const ids = Array.from({ length: 2_345 }, (_, index) => `e-${String(index).padStart(8, '0')}`)
  const executions = Object.fromEntries(ids.map((id) => [id, { ...execution, ID: id }]))
  const repository = new Repository().add(NEWER, { 'j-00000001': { ...one, executions } })
  const listed = await repository.rows('executions', '--job', 'j-00000001', '--all')
  expect(idsOf(listed).sort()).toEqual(ids)
  expect(await repository.rows('counts', '--kind', 'execution')).toMatchObject([{ records: ids.length }])
  const [summary] = await repository.rows('summary')
  expect(summary).toMatchObject({ executions: { Completed: ids.length } })
})

test('a job whose executions are longer than what is read at a time has them all', async () => {
  const one = completedJob('j-00000001')
  const [execution] = Object.values(one.executions ?? {}) as Row[]
  const RunOutput = { Stdout: 'x'.repeat(1_500_000) }
  const ids = Array.from({ length: 7 }, (_, index) => `e-${String(index).padStart(8, '0')}`)
  const executions = Object.fromEntries(ids.map((id) => [id, { ...execution, ID: id, RunOutput }]))
  const repository = new Repository().add(NEWER, { 'j-00000001': { ...one, executions } })
  expect(idsOf(await repository.rows('executions', '--job', 'j-00000001', '--all')).sort()).toEqual(ids)
  expect(await repository.rows('counts', '--kind', 'execution')).toMatchObject([{ records: ids.length }])
})

test('a record that is nested too deep to be walked through is left out by every command, wherever the depth is', async () => {
  const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
  const deep = (id: string, before: string): JobToWrite => {
    const spec = JSON.stringify(completedJob(id).spec).replace(before, `${before}"deep":${nested},`)
    return { ...completedJob(id), spec, versions: {} }
  }
  const repository = new Repository().add(NEWER, {
    'j-00000001': deep('j-00000001', '"Params":{'),
    'j-00000002': deep('j-00000002', '"Labels":{'),
    ...jobs({ 'j-00000003': {} }),
  })
  const imported = await repository.run('import', '--to', join(repository.path, 'to'), '--apply')
  expect({ code: imported.code, stderr: imported.stderr }).toEqual({ code: 1, stderr: '' })
  for (const [code, verb, ...args] of [
    [0, 'jobs', '--output', 'json'],
    [0, 'executions', '--all'],
    [0, 'summary'],
    [1, 'export'],
    [1, 'export', '--show-secrets'],
    [1, 'diff', join(repository.path, 'to')],
    [1, 'job', 'j-00000001'],
  ] as const) {
    const ran = await repository.run(verb, ...args)
    expect({ verb, code: ran.code, stderr: ran.stderr }).toEqual({
      ...{ verb, code },
      stderr: expect.not.stringContaining('call stack'),
    })
    if (verb === 'export') expect(ran.stdout).toContain('j-00000003')
  }
})

test('what is secret is hidden in every command that could show it', async () => {
  const SECRET = 'correct horse battery'
  const [task] = (completedJob('j-00000001').spec as { readonly Tasks: readonly Row[] }).Tasks
  const one = completedJob('j-00000001', { Tasks: [{ ...task, Env: { TOKEN: SECRET } }] })
  const [execution] = Object.values(one.executions ?? {}) as Row[]
  const told = { ...execution, RunOutput: { Stdout: `the token is ${SECRET}!`, ExitCode: 0 } }
  const repository = new Repository().add(NEWER, {
    'j-00000001': { ...one, executions: { 'e-00000001': told } },
  })
  for (const [verb, ...args] of [
    ['job', 'j-00000001'],
    ['job', 'j-00000001', '--output', 'json'],
    ['executions', '--output', 'json'],
    ['execution', 'e-00000001'],
    ['export'],
  ] as const) {
    const { code, stdout } = await repository.run(verb, ...args)
    expect({ code, shown: stdout.includes(SECRET) }, verb).toEqual({ code: 0, shown: false })
  }
  expect((await repository.run('export', '--show-secrets')).stdout).toContain(SECRET)
})

test('a message of several lines is read without escapes, and what is odd about the files is said once', async () => {
  const message = 'not enough nodes. \n\tNode n-1: job rejected'
  const failed = completedJob('j-00000001', { State: { StateType: 'Failed', Message: message } })
  const [execution] = Object.values(failed.executions ?? {}) as Row[]
  const computeState = { StateType: 10, Message: 'wasm error: unreachable\n\tm.$0()' }
  const repository = new Repository()
    .add(OLDER, {
      'j-00000001': { ...failed, executions: { 'e-00000001': { ...execution, ComputeState: computeState } } },
    })
    .add(NEWER, jobs({ 'j-00000002': {} }))
  for (const [verb, ...args] of [
    ['why', 'j-00000001'],
    ['job', 'j-00000001'],
    ['jobs', '--wide'],
    ['executions'],
    ['history', 'j-00000001'],
  ] as const) {
    const { code, stdout, stderr } = await repository.run(verb, ...args)
    expect(code, `${verb}: ${stderr}`).toBe(0)
    expect(stdout, verb).not.toMatch(/\\[nt]|\t/)
    if (verb === 'jobs') expect(stdout).toContain('not enough nodes. | Node n-1: job rejected')
    if (verb === 'why') expect(stdout).toMatch(/^ {2}.*not enough nodes\. ?\n {6}Node n-1: job rejected$/m)
    expect(stderr.split('this repository was upgraded'), verb).toHaveLength(2)
  }
  // Where a program reads it all of it is there.
  const csv = await repository.run('jobs', '--output', 'csv')
  expect(csv.stdout).toContain('not enough nodes. \\n\\tNode n-1: job rejected')
})
