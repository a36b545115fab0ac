import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openLmdbJobStore } from '@saltcod/store-lmdb'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { completedJob, type JobToWrite, jobStoreBytes } from '../../../test/bacalhau-writer.ts'
import { ProgramSession, type SessionRun } from '../../../test/program-session.ts'
import { randomBelow } from '../../../test/random-numbers.ts'
import { IS_LONG, testSeed } from '../../../test/seed.ts'
import { smallDisk } from '../../../test/small-disk.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { type ImportPlace, publish } from '../src/bacalhau/import-place.ts'

// Each import is a process of its own.
vi.setConfig({ testTimeout: 3_600_000 })

const KILLS = IS_LONG ? 100 : 2
const SEED = testSeed()
const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const JOBS = 300

let session: ProgramSession
beforeAll(() => {
  session = new ProgramSession(new URL('../dist/cli/run.js', import.meta.url))
})
afterAll(async () => await session.close())

function jobs(count: number): Readonly<Record<string, JobToWrite>> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, n) => [`j-${n}`, completedJob(`j-${n}`)] as const),
  )
}

/** Writes a repository of Bacalhau. */
function sourceIn(directory: string): string {
  const source = join(directory, 'source')
  mkdirSync(join(source, 'orchestrator'), { recursive: true })
  writeFileSync(fileOf(source), jobStoreBytes(jobs(JOBS)))
  return source
}

function fileOf(source: string): string {
  return join(source, 'orchestrator', 'state_boltdb.db')
}

function start(...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], { stdio: 'ignore', detached: true })
}

async function inspect(...args: readonly string[]): Promise<SessionRun> {
  return await session.run(args, { cwd: '/' })
}

async function jobsIn(repository: string): Promise<number> {
  const [jobs = ''] = visibleIn(repository).filter((name) => name.endsWith('jobs.db'))
  const store = await openLmdbJobStore({ path: join(repository, jobs), readOnly: true })
  const counts = await store.counts()
  await store.close()
  return counts.filter(({ kind }) => kind === 'job').reduce((sum, { records }) => sum + records, 0)
}

/** What is below a directory but for what an import works in. */
function visibleIn(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(
    (name) => !name.startsWith('.bacalhau-import-'),
  )
}

test(`after each of ${KILLS} kills there are both stores or none, and the same command succeeds (seed ${SEED})`, async () => {
  const below = randomBelow(SEED)
  const directory = temporaryDirectory()
  const source = sourceIn(directory)
  const before = readFileSync(fileOf(source))
  const command = (to: string): readonly string[] => [
    'import',
    source,
    '--to',
    to,
    '--apply',
    '--output',
    'json',
  ]
  const began = performance.now()
  expect((await inspect(...command(join(directory, 'whole')))).code).toBe(0)
  const wholeMs = performance.now() - began
  for (let kill = 0; kill < KILLS; kill += 1) {
    const to = join(directory, `to-${kill}`)
    const child = start(...command(to))
    const ended = once(child, 'close')
    // Most of its time is its start; what is worth a kill comes last.
    await sleep(wholeMs * (0.3 + 0.8 * (below(1_000) / 1_000)))
    try {
      process.kill(-(child.pid ?? 0), 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
    await ended
    const stores = existsSync(to) ? visibleIn(to).filter((name) => name.endsWith('.db')) : []
    if (stores.length < 2) {
      let again = await inspect(...command(to))
      // What was killed takes its time to be gone.
      for (const end = Date.now() + 60_000; again.stderr.includes('under way') && Date.now() < end; ) {
        await sleep(50)
        again = await inspect(...command(to))
      }
      expect([again.code, again.stderr]).toEqual([0, ''])
    }
    expect(await jobsIn(to)).toBe(JOBS)
    if (!IS_LONG && kill < KILLS - 1) continue
    expect((await inspect('check', to)).code).toBe(0)
    // The next one in this place clears what the killed one left, and refuses the stores that are there.
    expect(await inspect(...command(to))).toMatchObject({ code: 2, stdout: '' })
    expect(readdirSync(to).filter((name) => name.startsWith('.bacalhau-import-'))).toEqual([])
  }
  expect(readFileSync(fileOf(source)).equals(before)).toBe(true)
})

test('Ctrl-C ends an import and leaves nothing of it, a trial too', async () => {
  const directory = temporaryDirectory()
  const source = sourceIn(directory)
  const to = join(directory, 'to')
  for (const apply of [['--apply'], []]) {
    const command = [MAIN, 'import', source, '--to', to, ...apply]
    const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    const ended = once(child, 'close')
    const hasBegun = (): boolean =>
      existsSync(to) && readdirSync(to).some((name) => name.startsWith('.bacalhau-import-'))
    while (!hasBegun() && child.exitCode === null) await sleep(1)
    // A terminal tells all processes of a command.
    process.kill(-(child.pid ?? 0), 'SIGINT')
    await ended
    expect([child.exitCode, stderr]).toEqual([130, 'Interrupted; nothing was kept\n'])
    expect(hasBegun()).toBe(false)
  }
  expect(readdirSync(to)).toEqual([])
})

test('an import that died while it gave its stores their places is taken back, and a finished one is not', async () => {
  const directory = temporaryDirectory()
  const source = sourceIn(directory)
  const to = join(directory, 'to')
  expect((await inspect('import', source, '--to', to, '--apply')).code).toBe(0)
  const [jobStore = ''] = visibleIn(to).filter((name) => name.endsWith('jobs.db'))
  const [executionStore = ''] = visibleIn(to).filter((name) => name.endsWith('executions.db'))
  const work = join(to, '.bacalhau-import-1-1')
  const linked = (...names: readonly string[]): void => {
    mkdirSync(work)
    writeFileSync(join(work, 'publishing'), '')
    for (const name of names) {
      linkSync(join(to, name), join(work, name.endsWith('jobs.db') ? 'jobs.db' : 'executions.db'))
    }
  }
  // Both had their places: a node may have worked on them since.
  linked(jobStore, executionStore)
  expect((await inspect('import', source, '--to', to, '--apply')).stderr).toContain('has stores already')
  expect(existsSync(join(to, jobStore))).toBe(true)
  expect(existsSync(work)).toBe(false)
  // The first one alone.
  linked(executionStore)
  rmSync(join(to, jobStore))
  expect((await inspect('import', source, '--to', to, '--apply')).code).toBe(0)
  expect((await inspect('check', to)).code).toBe(0)
})

test('an import refuses to give its stores their places where another one was faster, and leaves that alone', async () => {
  const directory = temporaryDirectory()
  const source = sourceIn(directory)
  const to = join(directory, 'to')
  expect((await inspect('import', source, '--to', to, '--apply')).code).toBe(0)
  const before = visibleIn(to).map((name) => [name, statSync(join(to, name)).ino])
  const work = join(to, '.bacalhau-import-1-1')
  const place = (nodeId: string, repository: string): ImportPlace => {
    const paths = {
      jobs: join(repository, 'a', 'jobs.db'),
      executions: join(repository, 'b', 'executions.db'),
    }
    return { repository, nodeId, work, paths, made: [] }
  }
  mkdirSync(work)
  for (const name of ['jobs.db', 'executions.db', 'bacalhau-import-notes.ndjson'])
    writeFileSync(join(work, name), name)
  expect(() => publish(place('porto', to))).toThrow('has stores already')
  expect(visibleIn(to).map((name) => [name, statSync(join(to, name)).ino])).toEqual(before)
  // Nor does it take a place by another node id than the one that was settled.
  const other = join(directory, 'other')
  mkdirSync(other)
  writeFileSync(join(other, 'node-id'), 'lisbon\n')
  expect(() => publish(place('porto', other))).toThrow('has become that of another node meanwhile: lisbon')
  expect(readdirSync(other)).toEqual(['node-id'])
})

test('a full disk is an error that says so, and nothing half-made stays', async ({ skip }) => {
  const directory = temporaryDirectory()
  const source = sourceIn(directory)
  const before = readFileSync(fileOf(source))
  const codes = new Set<number | null>()
  for (const size of IS_LONG
    ? ['300k', '1m', '2m', '4m', '12m', '19m', '20m', '21m', '22m', '24m', '30m', '60m']
    : ['1m', '19m', '22m', '60m']) {
    const disk = smallDisk(size)
    if (disk === undefined) return skip('this user may mount no small disk')
    const to = join(disk, 'to')
    const { code, stdout, stderr } = await inspect('import', source, '--to', to, '--apply')
    codes.add(code)
    if (code === 0) expect((await inspect('check', to)).code).toBe(0)
    else {
      expect([size, code, stdout]).toEqual([size, 3, ''])
      expect(stderr).toMatch(/^Error: the disk of .* is full; nothing was kept\nHint: make room.*\n$/)
      expect(existsSync(to) ? readdirSync(to) : []).toEqual([])
    }
  }
  expect([...codes].sort()).toEqual([0, 3])
  expect(readFileSync(fileOf(source)).equals(before)).toBe(true)
})

test('a disk that takes no more files as the stores get their places has nothing of them afterwards', async ({
  skip,
}) => {
  const source = sourceIn(temporaryDirectory())
  const left: (readonly [files: number, code: number, names: readonly string[]])[] = []
  for (const files of [8, 10, 11, 12]) {
    const disk = smallDisk('400m', files)
    if (disk === undefined) return skip('this user may mount no small disk')
    const { code } = await inspect('import', source, '--to', join(disk, 'above', 'to'), '--apply')
    left.push([files, code, readdirSync(disk, { recursive: true, encoding: 'utf8' })])
  }
  expect(left.map(([files, code, names]) => [files, code === 0, names])).toEqual(
    [8, 10, 11, 12].map((files) => [files, false, []]),
  )
})

test('an import beside another one is refused, and takes nothing of that one away', async () => {
  const directory = temporaryDirectory()
  const source = sourceIn(directory)
  const to = join(directory, 'to')
  const stat = readFileSync('/proc/self/stat', 'latin1').replace(/^.*\) /s, '')
  const other = `.bacalhau-import-${process.pid}-${stat.split(' ')[19]}`
  mkdirSync(join(to, other), { recursive: true })
  const { code, stderr } = await inspect('import', source, '--to', to, '--apply')
  expect(code).toBe(2)
  expect(stderr).toContain(`another import is under way in ${to} (process ${process.pid})`)
  expect(readdirSync(to)).toEqual([other])
})

test('a source that changes meanwhile is refused, and nothing is kept', async () => {
  const directory = temporaryDirectory()
  const source = sourceIn(directory)
  const to = join(directory, 'to')
  let transaction = 2n
  const child = spawn(process.execPath, [MAIN, 'import', source, '--to', to, '--apply'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const ended = once(child, 'close')
  while (child.exitCode === null) {
    transaction += 1n
    writeFileSync(fileOf(source), jobStoreBytes(jobs(JOBS), { transaction }), { flag: 'r+' })
    await sleep(20)
  }
  await ended
  expect(child.exitCode).toBe(3)
  expect(stderr).toMatch(/^Error: .*(changed while they were read|changes too fast).*\nHint: .*\n$/)
  expect(existsSync(to) ? readdirSync(to) : []).toEqual([])
})
