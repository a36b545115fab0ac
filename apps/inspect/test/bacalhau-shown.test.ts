import { join } from 'node:path'
import type { JobSpec } from '@saltcod/bacalhau-records'
import type { Execution, HistoryEntry, Job } from '@saltcod/store-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ANSWERED, BACALHAU_FILES, BACALHAU_FILES_MISSING } from '../../../test/bacalhau-answers.ts'
import { ProgramSession, type SessionRun } from '../../../test/program-session.ts'
import { compareWithAnswers, MOVED, modelsOf, type ToldModels } from './compare-answers.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

let session: ProgramSession
beforeAll(() => {
  session = new ProgramSession(new URL('../dist/cli/run.js', import.meta.url))
})
afterAll(async () => await session.close())

async function run(...args: readonly string[]): Promise<SessionRun> {
  return await session.run(args, { cwd: BACALHAU_FILES })
}

async function runJson<T>(...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await run(...args, '--output', 'json')
  if (code !== 0) throw new Error(`exit code ${code} of ${args.join(' ')}: ${stderr}`)
  return JSON.parse(stdout) as T
}

type Row = Readonly<Record<string, unknown>>

/** A row as a record again: times end with At, or are since when. */
function recordOf<T>(row: Row): T {
  const entries = Object.entries(row).map(([name, value]): [string, unknown] => {
    const isTime = /(?:At|^stateSince)$/.test(name) || name === 'at'
    if (!isTime) return [name, value]
    return [`${name}Ms`, value === null ? null : Date.parse(String(value))]
  })
  return Object.fromEntries(entries) as T
}

describe.skipIf(BACALHAU_FILES_MISSING !== null)('the records of files of Bacalhau', () => {
  test('of a node that tells ends alone are not said to have been created so', async () => {
    const [failed] = await runJson<Row[]>('jobs', 'bacalhau-1.9.3', '--state', 'Failed')
    const { stdout } = await run('why', 'bacalhau-1.9.3', String(failed?.['id']))
    expect(stdout).toMatch(/node \S+ +is Failed: /)
    expect(stdout).not.toContain('created as Failed')
  })

  test.each(ANSWERED)('of %s are shown as its API answered them', async (release) => {
    const directory = `bacalhau-${release}`
    const listed = await runJson<Row[]>('jobs', directory, '--all')
    const executions = await runJson<Row[]>('executions', directory, '--all')
    const found = new Map<string, ToldModels>()
    for (const row of listed) {
      const id = String(row['id'])
      const {
        spec,
        executions: own,
        ...job
      } = await runJson<Row & { readonly spec: JobSpec; readonly executions: readonly Row[] }>(
        'job',
        directory,
        id,
        '--show-secrets',
      )
      // A listing and the job itself say the same.
      expect(row).toEqual(job)
      expect(executions).toEqual(expect.arrayContaining([...own]))
      const history = await runJson<Row[]>('history', directory, id, '--all')
      const told = {
        job: { ...recordOf<Job<JobSpec>>(job), spec },
        executions: own.map((execution) => recordOf<Execution>(execution)),
        history: history.map((entry) => recordOf<HistoryEntry>(entry)),
      }
      found.set(id, modelsOf(told))
    }
    expect(compareWithAnswers(release, found, false)).toBe(MOVED[release])
  })

  test('of an upgraded repository are of both generations, and each row says where it is from', async () => {
    const directory = 'bacalhau-1.4.0-upgraded-to-1.9.3'
    const listed = await run('jobs', directory, '--all', '--output', 'json')
    expect(listed.stderr).toContain('this repository was upgraded')
    const rows = JSON.parse(listed.stdout) as Row[]
    expect(rows.length).toBe(42)
    const place = join(BACALHAU_FILES, directory, 'orchestrator_store/jobs.db')
    expect(new Set(rows.map(({ source }) => source))).toEqual(new Set([place]))
    const { stores } = await runJson<{ stores: Row[] }>('summary', directory)
    expect(stores.map(({ kind, writtenBy }) => [kind, writtenBy])).toEqual([
      ['jobs', 'Bacalhau v1.8 and later'],
      ['jobs', 'Bacalhau v1.1 to v1.5.1'],
      ['executions', 'Bacalhau v1.5.2 and later'],
      ['executions', 'Bacalhau v1.1 to v1.4'],
    ])
    expect(stores[1]?.['stuck']).toMatchObject([{ kind: 'left-behind' }])
  })
})
