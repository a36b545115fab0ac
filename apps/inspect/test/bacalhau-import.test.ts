import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { JobSpec } from '@saltcod/bacalhau-records'
import { openLmdbJobStore } from '@saltcod/store-lmdb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ANSWERED,
  type AnsweredRelease,
  BACALHAU_FILES,
  BACALHAU_FILES_MISSING,
} from '../../../test/bacalhau-answers.ts'
import { ProgramSession, type SessionRun } from '../../../test/program-session.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { withBacalhauFiles } from '../src/bacalhau/bacalhau-files.ts'
import { eachBacalhauJob } from '../src/bacalhau/bacalhau-records.ts'
import { compareWithAnswers, MOVED, modelsOf, type ToldModels } from './compare-answers.ts'

let session: ProgramSession
beforeAll(() => {
  session = new ProgramSession(new URL('../dist/cli/run.js', import.meta.url))
})
afterAll(async () => await session.close())

async function run(...args: readonly string[]): Promise<SessionRun> {
  return await session.run(args, { cwd: '/' })
}

async function runJson<T>(...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await run(...args, '--output', 'json')
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`)
  return JSON.parse(stdout) as T
}

interface Report {
  readonly applied: boolean
  readonly nodeId: string
  readonly counts: Readonly<Record<string, number>>
  readonly notes: readonly { readonly kind: string; readonly code: string; readonly count: number }[]
}

function sourceOf(release: string): string {
  return join(BACALHAU_FILES, `bacalhau-${release}`)
}

async function told(release: AnsweredRelease): Promise<Map<string, ToldModels>> {
  const found = new Map<string, ToldModels>()
  const quiet = { err: () => undefined } as never
  await withBacalhauFiles(quiet, sourceOf(release), async (files) => {
    for await (const { whole } of eachBacalhauJob(files, 'all', () => {})) {
      const job = whole.versions.at(-1)
      if (job !== undefined) found.set(job.id, modelsOf({ ...whole, job }))
    }
  })
  return found
}

async function imported(repository: string, nodeId: string): Promise<Map<string, ToldModels>> {
  const store = await openLmdbJobStore<JobSpec>({
    path: join(repository, `${nodeId}-requester`, 'jobs.db'),
    readOnly: true,
  })
  const found = new Map<string, ToldModels>()
  const { items: jobs } = await store.listJobs({ limit: 1_000 })
  for (const job of jobs) {
    const { items: executions } = await store.listExecutions({ jobId: job.id, limit: 1_000 })
    const { items: history } = await store.listHistory({ jobId: job.id, limit: 1_000 })
    found.set(job.id, modelsOf({ job, executions, history }))
  }
  await store.close()
  return found
}

describe.skipIf(BACALHAU_FILES_MISSING !== null)('files of Bacalhau', () => {
  test.each(ANSWERED)(
    'of %s say of every job what its API said, before and after the import',
    async (release) => {
      expect(compareWithAnswers(release, await told(release), false)).toBe(MOVED[release])
      const to = join(temporaryDirectory(), 'repository')
      const dry = await runJson<Report>('import', sourceOf(release), '--to', to)
      expect(dry).toMatchObject({ applied: false })
      expect(existsSync(to)).toBe(false)
      const report = await runJson<Report>('import', sourceOf(release), '--to', to, '--apply')
      expect(report).toMatchObject({ applied: true, counts: dry.counts, nodeId: dry.nodeId })
      expect(report.notes.filter(({ kind }) => kind === 'left-out')).toEqual([])
      expect(await run('check', to)).toMatchObject({ code: 0 })
      expect(compareWithAnswers(release, await imported(to, report.nodeId), true)).toBe(MOVED[release])
    },
  )

  test('of an upgraded repository are of two generations, and all jobs come over', async () => {
    const to = join(temporaryDirectory(), 'repository')
    const source = sourceOf('1.4.0-upgraded-to-1.9.3')
    const ran = await run('import', source, '--to', to, '--apply', '--output', 'json')
    expect(ran.stderr).toContain('this repository was upgraded')
    const { counts } = JSON.parse(ran.stdout) as Report
    expect(counts).toMatchObject({ jobs: 42, executions: 41, computeExecutions: 41 })
    expect((await imported(to, 'porto')).size).toBe(42)
  })

  test('come into their own repository, where no file of theirs is touched', async () => {
    const repository = join(temporaryDirectory(), 'repository')
    cpSync(sourceOf('1.2.0'), repository, { recursive: true })
    const before = bytesIn(repository)
    const { nodeId } = await runJson<Report>('import', repository, '--to', repository, '--apply')
    expect(nodeId).toMatch(/^n-/)
    expect((await imported(repository, nodeId)).size).toBe(31)
    const after = bytesIn(repository)
    for (const [name, bytes] of before) expect(after.get(name)?.equals(bytes), name).toBe(true)
    const again = await run('import', repository, '--to', repository, '--apply')
    expect(again).toMatchObject({ code: 2 })
    expect(again.stderr).toContain('has stores already')
  })
})

function bytesIn(directory: string): ReadonlyMap<string, Buffer> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  return new Map(
    names
      .filter((name) => statSync(join(directory, name)).isFile())
      .map((name) => [name, readFileSync(join(directory, name))]),
  )
}

describe.skipIf(BACALHAU_FILES_MISSING !== null)('mistakes with an import', () => {
  test('each is one line that says what to do, and leaves nothing', async () => {
    const directory = temporaryDirectory({ 'file.txt': 'no database' })
    mkdirSync(join(directory, 'empty'))
    const cases: [readonly string[], string][] = [
      [['nothing', '--to', 'repository'], 'there is nothing at nothing'],
      [['empty', '--to', 'repository'], 'there is no store of Bacalhau in empty'],
      [['file.txt', '--to', 'repository'], 'there is no store of Bacalhau in file.txt'],
      [[sourceOf('1.9.3'), '--to', 'file.txt'], 'file.txt is no directory'],
      [[sourceOf('1.9.3'), 'jobs.db'], '--to REPOSITORY'],
      [[sourceOf('1.9.3'), 'jobs.db', '--to', 'x'], 'two places'],
    ]
    for (const [args, line] of cases) {
      const { code, stdout, stderr } = await session.run(['import', ...args], { cwd: directory })
      expect([code === 0, stdout], args.join(' ')).toEqual([false, ''])
      expect(stderr, args.join(' ')).toContain(line)
      expect(stderr.match(/^Error: .*\nHint: .*\n$/), stderr).not.toBe(null)
    }
    expect(readdirSync(directory).sort()).toEqual(['empty', 'file.txt'])
  })
})
