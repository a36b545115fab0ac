import { spawnSync } from 'node:child_process'
import { copyFileSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { STORE_TABLES } from '@saltcod/store-core/backend'
import { decodeRecord } from '@saltcod/store-core/format'
import { openLmdbExecutionStore, openLmdbJobStore, openLmdbKv } from '@saltcod/store-lmdb'
import { expect, test, vi } from 'vitest'
import { useFixtureSession } from './fixture-session.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

const session = useFixtureSession()
const { run, at } = session

test('a full disk behind standard output is no fault of the store', () => {
  const full = openSync('/dev/full', 'w')
  const { status, stderr } = spawnSync(process.execPath, [main, 'dump', 'jobs.db'], {
    cwd: session.fixture.directory,
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  })
  expect(status).toBe(2)
  expect(stderr).toContain('standard output cannot be written: ENOSPC')
  expect(stderr).not.toContain('should not happen')
})

test('check does not send anybody to salvage with a file that salvage refuses', async () => {
  writeFileSync(at('words.db'), 'not a store\n')
  writeFileSync(at('headless.db'), readFileSync(session.fixture.jobs).fill(0, 0, 8_192))
  for (const [name, advice] of [
    ['words.db', 'give the path of a store file'],
    ['headless.db', 'restore a backup'],
  ] as const) {
    const { status, stdout } = await run('check', name)
    expect(status).toBe(3)
    expect(stdout).toContain(advice)
    expect(stdout).not.toContain('let salvage')
    expect(stdout).toContain('no row could be looked at')
  }
})

test('changes counts transactions, and says so', async () => {
  const rows = JSON.parse((await run('changes', 'jobs.db', '--limit', '3', '--output', 'json')).stdout) as {
    sequence: number
  }[]
  expect(new Set(rows.map(({ sequence }) => sequence)).size).toBe(3)
  expect((await run('changes', '--help')).stdout).toContain('at most so many transactions')
})

test('changes --reverse is the same feed from its end back, page by page too', async () => {
  type Row = { readonly sequence: number; readonly id: string }
  const forward = await session.runJson<Row[]>('changes', 'jobs.db', '--all')
  const backward = await session.runJson<Row[]>('changes', 'jobs.db', '--all', '--reverse')
  expect(backward).toEqual(forward.toReversed())
  const paged: Row[] = []
  for (let more: readonly string[] | null = []; more !== null; ) {
    const { stdout, stderr } = await run(
      ...['changes', 'jobs.db', '--reverse', '--limit', '3', '--output', 'json', ...more],
    )
    paged.push(...(JSON.parse(stdout) as Row[]))
    const cursor = /--cursor (\S+)/.exec(stderr)?.[1]
    more = cursor === undefined ? null : ['--cursor', cursor]
  }
  expect(paged).toEqual(backward)
  const both = await run('changes', 'jobs.db', '--reverse', '--follow')
  expect(both).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('give one of them') })
})

test('changes goes on behind a damaged entry, in either direction', async () => {
  copyFileSync(session.fixture.jobs, at('gap.db'))
  const sequences = async (...args: readonly string[]): Promise<number[]> => {
    const { stdout, stderr } = await run('changes', 'gap.db', '--all', '--output', 'json', ...args)
    expect(stderr).toMatch(sequence === undefined ? /^$/ : /^gap: /)
    return [...new Set((JSON.parse(stdout) as { sequence: number }[]).map((row) => row.sequence))]
  }
  let sequence: number | undefined
  const whole = await sequences()
  sequence = whole[3]
  const kv = await openLmdbKv({ path: at('gap.db'), tables: STORE_TABLES })
  await kv.write((rows) => {
    const key = [...rows.keys('feed', { limit: 4 })][3]
    if (key !== undefined) rows.put('feed', key, new Uint8Array([1, 2, 3]))
  })
  await kv.close()
  const left = whole.filter((one) => one !== sequence)
  expect(await sequences()).toEqual(left)
  expect(await sequences('--reverse')).toEqual(left.toReversed())
})

test('recover --preset takes the words of the configuration', async () => {
  const plan = async (word: string): Promise<string[]> => {
    const args = ['recover', 'executions.db', '--preset', word]
    return (await session.runJson<{ action: string }[]>(...args)).map(({ action }) => action)
  }
  const expire = await plan('expire')
  expect(await plan('resume')).not.toEqual(expire)
  for (const word of ['Expire', 'documented', 'DOCUMENTED']) expect(await plan(word)).toEqual(expire)
  const wrong = await run('recover', 'executions.db', '--preset', 'never')
  expect(wrong).toMatchObject({ status: 2, stdout: '' })
  expect(wrong.stderr).toContain('It must be one of resume, expire.')
})

test('a hold is told as one', async () => {
  copyFileSync(session.fixture.jobs, at('held.db'))
  const store = await openLmdbJobStore({ path: at('held.db') })
  await store.holdJob({ jobId: 'job-broken', reason: 'for the audit' })
  await store.holdJob({ jobId: 'job-broken', reason: null })
  await store.close()
  const { stdout } = await run('why', 'held.db', 'broken')
  expect(stdout).toContain('Held: for the audit')
  expect(stdout).toContain('Hold released')
  expect(stdout).not.toContain('stays')
  expect((await run('summary', 'held.db')).stdout).toContain('changed, still Failed')
})

test('what waits in a queue says what it needs and what is taken', async () => {
  const path = at('queue.db')
  const store = await openLmdbExecutionStore({ path, nodeId: 'n-1' })
  for (const id of ['first', 'second']) {
    const job = {
      id: `job-${id}`,
      version: 1,
      namespace: 'default',
      name: id,
      type: 'batch',
      priority: 0,
      spec: {},
    } as const
    await store.createExecution({
      id,
      job,
      requesterId: 'n-1',
      resources: { cpu: 1.5, memoryBytes: 2_000_000 },
    })
    await store.updateExecution({ executionId: id, to: 'BidAccepted' })
  }
  await store.updateExecution({ executionId: 'first', to: 'Running' })
  const { stdout } = await run('why', path, 'second')
  await store.close()
  expect(stdout).toContain('it needs cpu 1.5, memoryBytes 2.0 MB; those that run hold cpu 1.5')
  const stopped = await run('why', path, 'first')
  expect(stopped.stdout).toContain('it ran when the node ended, and does not run now')
  expect(stopped.stdout).toMatch(/recover --plan: execution first: fail/)
})

test('a container is told to go on without its node, and to be found again by its start', async () => {
  const path = at('containers.db')
  const store = await openLmdbExecutionStore({ path, nodeId: 'n-1' })
  const spec = { Tasks: [{ Engine: { Type: 'Docker', Params: { Image: 'a' } } }] }
  const whose = { id: 'job-a', version: 1, namespace: 'default', name: 'a' }
  const job = { ...whose, type: 'batch', priority: 0, spec } as const
  await store.createExecution({ id: 'e-a', job, requesterId: 'n-1' })
  await store.updateExecution({ executionId: 'e-a', to: 'BidAccepted' })
  await store.updateExecution({ executionId: 'e-a', to: 'Running', patch: { attempt: 1 } })
  await store.close()
  const [planned] = await session.runJson<{ action: string; rule: string }[]>('recover', path, '--plan')
  expect(planned).toMatchObject({
    action: 'reattach',
    rule: expect.stringContaining(
      'attempt 1 does not end with the node; where it is gone: fail, interrupted',
    ),
  })
  const { stdout } = await run('why', path, 'e-a')
  expect(stdout).toContain('it ran when the node ended, and goes on without it')
  expect(stdout).toContain('recover --plan: execution e-a: reattach (outlived)')
})

test('a copy is nobody’s, and verbs of one file say so', async () => {
  copyFileSync(session.fixture.jobs, at('copied.db'))
  expect((await run('info', 'copied.db')).stdout).toMatch(/Node process +no node has it/)
  for (const verb of [
    'stats',
    'buckets',
    'keys',
    'get',
    'dump',
    'diff',
    'export',
    'backup',
    'repair',
    'salvage',
    'compact',
    'changes',
  ]) {
    expect((await run(verb, '--help')).stdout).toMatch(/^Usage: .*<file>/)
  }
})

test('du --age tells records and bytes of every kind', async () => {
  const { ages, counts } = JSON.parse(
    (await run('du', 'jobs.db', '--age', '--output', 'json')).stdout,
  ) as Record<'ages' | 'counts', { kind: string; records: number; bytes: number }[]>
  for (const kind of ['job', 'execution', 'evaluation']) {
    const sum = (rows: readonly { kind: string; records: number; bytes: number }[]): number[] => {
      const own = rows.filter((row) => row.kind === kind)
      return [
        own.reduce((all, { records }) => all + records, 0),
        own.reduce((all, { bytes }) => all + bytes, 0),
      ]
    }
    expect({ kind, sums: sum(ages) }).toEqual({ kind, sums: sum(counts) })
  }
})

test('salvage and repair that leave something out end with 1', async () => {
  copyFileSync(session.fixture.jobs, at('orphaned.db'))
  const kv = await openLmdbKv({ path: at('orphaned.db'), tables: STORE_TABLES })
  await kv.write((rows) => {
    const broken = rows
      .range('jobs', { limit: 100 })
      .find(({ key, value }) => decodeRecord<{ s: string }>('jobs', key, value).s === 'Failed')
    if (broken === undefined) throw new Error('there is no failed job')
    rows.remove('jobs', broken.key)
  })
  await kv.close()
  for (const verb of ['salvage', 'repair']) {
    const { status, stdout } = await run(verb, 'orphaned.db', `${verb}-made.db`)
    expect({ verb, status }).toEqual({ verb, status: 1 })
    expect(stdout).toContain('left out')
    expect((await run('check', `${verb}-made.db`)).status).toBe(0)
  }
})
