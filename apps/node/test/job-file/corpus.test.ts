import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { WireError, WireGetJobAnswer, WirePutJobAnswer } from '@saltcod/bacalhau-records'
import { isFailure } from '@saltcod/cli-kit'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { keptTerminal } from '../../../../test/kept-terminal.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { jobValidate } from '../../src/cli/commands/job-validate.ts'
import { readSpec, type TemplateOptions } from '../../src/cli/spec-file.ts'
import { startTestNode, type TestNode } from '../node-fixture.ts'

/** What becomes of a job file. */
interface Expected {
  readonly options?: TemplateOptions
  readonly env?: Readonly<Record<string, string>>
  /** What the command line says where it refuses to read the file, a line each. */
  readonly unread?: readonly string[]
  /** The job as the node answers it, without what only the node sets. */
  readonly accepted?: object
  readonly warnings?: readonly string[]
  /** How lines begin that the API refuses the job with; there may be more. */
  readonly refused?: readonly string[]
}

const DIRECTORY = fileURLToPath(new URL('corpus', import.meta.url))
const JOBS = '/api/v1/orchestrator/jobs'

const expected = JSON.parse(readFileSync(new URL('corpus.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, Expected>
>

/** What the command line makes of a file: a job, or the lines that it refuses it with. */
async function readBy({ options, env = {} }: Expected, file: string): Promise<object | readonly string[]> {
  try {
    return await readSpec(keptTerminal({ env }), `${DIRECTORY}/${file}`, options)
  } catch (error) {
    if (!isFailure(error)) throw error
    const lines = error.hint === undefined ? error.lines : [...error.lines, `Hint: ${error.hint}`]
    return lines.map((line) => line.replace(`${DIRECTORY}/`, ''))
  }
}

/** Submits what stands in a file, and returns the job with its warnings, or the lines of the refusal. */
async function submitTo(node: TestNode, job: unknown) {
  const { status, body } = await node.request<WirePutJobAnswer & WireError>('PUT', JOBS, {
    Job: job,
    Force: true,
  })
  if (status !== 200) {
    expect(status).toBe(400)
    return { refused: body.Message.split('\n') }
  }
  const answer = await node.request<WireGetJobAnswer>('GET', `${JOBS}/${body.JobID}`)
  const { Name, Namespace, Type, Count, Priority, Constraints, Meta, Labels, Tasks } = answer.body.Job
  await node.request('DELETE', `${JOBS}/${body.JobID}`)
  return {
    accepted: { Name, Namespace, Type, Count, Priority, Constraints, Meta, Labels, Tasks },
    ...(body.Warnings === null || body.Warnings.length === 0 ? {} : { warnings: body.Warnings }),
  }
}

/** What a plain reader of YAML makes of the file, where it makes anything of it. */
function plainly(file: string): unknown {
  try {
    return parse(readFileSync(`${DIRECTORY}/${file}`, 'utf8'), {
      logLevel: 'error',
      merge: true,
      uniqueKeys: false,
    })
  } catch {
    return undefined
  }
}

test('each job file is accepted as what it says, or refused with what is wrong', async () => {
  const node = await startTestNode(['--node-type', 'requester'])
  const files = readdirSync(DIRECTORY).sort()
  expect(files.length).toBeGreaterThanOrEqual(60)
  expect(Object.keys(expected).sort()).toEqual(files)
  for (const file of files) {
    const { options: _, env: __, refused = [], ...outcome } = expected[file] ?? {}
    const read = await readBy(expected[file] ?? {}, file)
    // What the command line does not read may come to the API from another reader.
    const job = Array.isArray(read) ? plainly(file) : read
    const { refused: lines = [], ...answer }: Expected =
      typeof job === 'object' && job !== null ? await submitTo(node, job) : {}
    const seen = { ...(Array.isArray(read) ? { unread: read as readonly string[] } : {}), ...answer }
    // What a job that is accepted has beside what it says is for other tests.
    expect([file, seen]).toMatchObject([file, outcome])
    expect([file, Object.keys(seen)]).toEqual([file, Object.keys(outcome)])
    expectBeginnings(file, lines, refused)
  }
})

function expectBeginnings(file: string, lines: readonly string[], beginnings: readonly string[]): void {
  const missing = beginnings.filter((beginning) => !lines.some((line) => line.startsWith(beginning)))
  expect([file, missing, lines.length > 0]).toEqual([file, [], beginnings.length > 0])
}

test.each([
  ['is not UTF-8', Buffer.from('Name: caf\xe9', 'latin1')],
  ['is UTF-16', Buffer.from('\ufeffName: x', 'utf16le')],
  ['is UTF-16', Buffer.from('\ufeffName: x', 'utf16le').swap16()],
])('a file that %s is refused, since its text would be another one', async (problem, bytes) => {
  const path = join(temporaryDirectory(), 'job.yaml')
  writeFileSync(path, bytes)
  const lines = { lines: [`${path} ${problem}`], hint: 'save it as UTF-8' }
  await expect(readSpec(keptTerminal(), path)).rejects.toMatchObject(lines)
  const terminal = { ...keptTerminal(), input: async () => bytes }
  await expect(readSpec(terminal, '-')).rejects.toMatchObject({ lines: [`standard input ${problem}`] })
})

test('a pattern of variables that compares for ever is refused', async () => {
  const env = { [`${'A'.repeat(60)}1`]: 'x' }
  const read = readSpec(keptTerminal({ env }), join(DIRECTORY, 'block-texts.yaml'), {
    templateEnvs: '^(A+)+$',
  })
  await expect(read).rejects.toMatchObject({ lines: ['the pattern ^(A+)+$ takes too long to compare'] })
})

test('without a node the command line says the same of a job that it has read', async () => {
  for (const [file, { options, env = {}, unread, refused, warnings = [] }] of Object.entries(expected)) {
    if (unread !== undefined) continue
    const terminal = keptTerminal({ env })
    const path = `${DIRECTORY}/${file}`
    const validated = jobValidate(terminal, [path], options ?? {})
    if (refused === undefined) {
      await validated
      expect([file, terminal.stdout, terminal.stderr]).toEqual([
        file,
        'OK\n',
        warnings.map((line) => `Warning: ${line}\n`).join(''),
      ])
    } else {
      const failure = await validated.then(
        () => undefined,
        (error: unknown) => error,
      )
      expectBeginnings(file, isFailure(failure) ? failure.lines : [], refused)
    }
  }
})

test('several files are looked at together, and each is told by its name', async () => {
  const terminal = keptTerminal()
  const at = (file: string): string => `${DIRECTORY}/${file}`
  const files = ['noop-wait.yaml', 'kubernetes-job.yaml', 'described-job.yaml'].map(at)
  await expect(jobValidate(terminal, files, {})).rejects.toThrow('1 of 3 job files are wrong')
  expect(terminal.stdout).toBe(`${files[0]}: OK\n${files[2]}: OK\n`)
  expect(terminal.stderr).toContain(`Error: ${files[1]} is a Kubernetes object`)
  expect(terminal.stderr).toContain(`Warning: ${files[2]}: job state is ignored`)
})
