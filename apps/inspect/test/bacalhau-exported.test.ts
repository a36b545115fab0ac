import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  ANSWERED,
  type AnsweredRelease,
  BACALHAU_FILES,
  BACALHAU_FILES_MISSING,
} from '../../../test/bacalhau-answers.ts'
import { ProgramSession, type SessionRun } from '../../../test/program-session.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { compareWithAnswers, MOVED, type ToldModels } from './compare-answers.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

let session: ProgramSession
beforeAll(() => {
  session = new ProgramSession(new URL('../dist/cli/run.js', import.meta.url))
})
afterAll(async () => await session.close())

async function run(...args: readonly string[]): Promise<SessionRun> {
  return await session.run(args, { cwd: BACALHAU_FILES })
}

/** One line of an export. */
interface Exported {
  readonly Job: Record<string, unknown>
  readonly History: { readonly NextToken: string; readonly Items: Record<string, unknown>[] }
  readonly Executions: { readonly NextToken: string; readonly Items: Record<string, unknown>[] }
}

function modelsIn(lines: string): Map<string, ToldModels> {
  const exported = lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Exported)
  return new Map(
    exported.map(({ Job, History, Executions }) => [
      String(Job['ID']),
      { job: Job, history: History.Items, executions: Executions.Items },
    ]),
  )
}

interface Difference {
  readonly record: string
  readonly what: string
  readonly field: string
  readonly reason: string | null
}

/** Each kind of difference between the files and what an import made of them, as its reason begins. */
const REASONS: readonly RegExp[] = [
  // An import ends what was in progress, since whoever ran it is gone, and notes it.
  /^it was \w+ when (?:its job|it) was imported/,
  /^an import notes what it changed$/,
  // Bacalhau leaves every evaluation pending.
  /^Bacalhau never notes how an evaluation ended/,
  // Its requester is the one whose jobs came over.
  /^what its requester knows came over with it$/,
  // Histories since v1.5 name no states; each job's is told of once.
  /^its history names no states and no revisions/,
  // Details of a state, such as a hint of an error, stand in the history too.
  /^the field (?:ComputeState|DesiredState)\.Details has no place here/,
]

describe.skipIf(BACALHAU_FILES_MISSING !== null)('files of Bacalhau and what an import makes of them', () => {
  test.each(ANSWERED)('of %s are exported as its API answered, and nothing is lost', async (release) => {
    const source = `bacalhau-${release}`
    const exported = await run('export', source, '--show-secrets')
    expect(exported.code).toBe(0)
    expect(compareWithAnswers(release, modelsIn(exported.stdout), false)).toBe(MOVED[release])
    const directory = temporaryDirectory()
    const to = join(directory, 'repository')
    expect(await run('import', source, '--to', to, '--apply')).toMatchObject({ code: 0 })
    const target = join(directory, 'jobs.ndjson')
    const own = await run('export', to, target, '--format', 'bacalhau', '--show-secrets')
    expect(own).toMatchObject({ code: 0, stdout: `${target}: ${modelsIn(exported.stdout).size} jobs\n` })
    expect(compareWithAnswers(release, modelsIn(readFileSync(target, 'utf8')), true)).toBe(MOVED[release])
    await expectNothingLost(release, source, to)
  })

  test('a store that lacks something, or has it otherwise, is told', async () => {
    const directory = temporaryDirectory()
    const to = join(directory, 'repository')
    expect(await run('import', 'bacalhau-1.2.0', '--to', to, '--apply')).toMatchObject({ code: 0 })
    const found = await run('diff', 'bacalhau-1.4.0', to, '--all', '--output', 'json')
    expect(found.code).toBe(1)
    const differences = JSON.parse(found.stdout) as Difference[]
    const of = (record: string, what: string) =>
      differences.filter((one) => one.record === record && one.what === what && one.reason === null).length
    expect([of('job', 'missing'), of('job', 'added')]).toEqual([42, 31])
    expect([of('compute-execution', 'missing'), of('compute-execution', 'added')]).toEqual([41, 11])
    const wrong = await run('diff', 'bacalhau-1.4.0', 'bacalhau-1.9.3')
    expect(wrong).toMatchObject({ code: 2, stdout: '' })
    expect(wrong.stderr).toContain('are files of Bacalhau')
  })
})

async function expectNothingLost(release: AnsweredRelease, source: string, to: string): Promise<void> {
  const { code, stdout, stderr } = await run('diff', source, to, '--all', '--output', 'json')
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining(', 0 without\n') })
  const differences = JSON.parse(stdout) as Difference[]
  for (const { reason } of differences) {
    expect(
      REASONS.some((pattern) => pattern.test(String(reason))),
      `${release}: ${reason}`,
    ).toBe(true)
  }
  // What has ended is the same in every field.
  expect(differences.filter(({ record, what }) => record === 'job' && what === 'otherwise')).toEqual([])
}
