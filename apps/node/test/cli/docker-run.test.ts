import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { keptTerminal } from '../../../../test/kept-terminal.ts'
import { ProgramSession } from '../../../../test/program-session.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { createCommandLine } from '../../src/cli/program.ts'
import { DOCKER } from '../../src/engines/docker/parameters.ts'
import { readParameters } from '../../src/spec/parameters.ts'
import { readSubmit } from '../../src/wire/job-input.ts'
import { OFFICIAL, officialMissing, type Release } from '../official-programs.ts'
import { COMMANDS } from './binary.ts'

const DOCUMENT = fileURLToPath(new URL('../../../../docs/compatibility.md', import.meta.url))
const GLOBAL_1_9 = ['API.Host=127.0.0.1', 'API.Port=1', 'DisableAnalytics=true', 'UpdateConfig.Interval=0s']

let session: ProgramSession

beforeAll(() => {
  session = new ProgramSession(COMMANDS)
})

afterAll(async () => {
  await session.close()
})

/** The job that our command line would submit. */
async function ourJob(args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await session.run(['docker', 'run', '--dry-run', ...args], { env: {} })
  expect([code, stderr]).toEqual([0, ''])
  return parse(stdout) as Record<string, unknown>
}

/** What the official command line prints. */
async function official(release: Release, args: readonly string[]): Promise<string> {
  const own =
    release === '1.9.3'
      ? [...GLOBAL_1_9.flatMap((setting) => ['-c', setting]), '--data-dir', temporaryDirectory()]
      : ['--repo', temporaryDirectory()]
  const { stdout } = await promisify(execFile)('unshare', [
    '-n',
    OFFICIAL,
    release,
    'docker',
    'run',
    ...own,
    ...args,
  ])
  return stdout
}

/** What a node would store, and what its engine would read, where that is something. */
function kept(job: object): object {
  const { definition, name, namespace } = readSubmit({ Job: job })
  const { Tasks, ...spec } = definition.spec
  const tasks = Tasks.map((task) => ({ ...task, Engine: readParameters(DOCKER, task.Engine.Params) }))
  const stored = { ...definition, spec: { ...spec, Tasks: tasks }, name, namespace }
  return JSON.parse(
    JSON.stringify(stored, (_, value: unknown) => (value === '' ? undefined : value)),
  ) as object
}

/** Command lines that mean the same to both. */
const LINES: readonly (readonly string[])[] = [
  ['ubuntu:24.04'],
  ['ubuntu@sha256:35b4f89ec2ee42e7e12db3d107fe6a487137650a2af379bbd49165a1494246ea', 'echo', 'hello'],
  ['a:1', 'sh', '--name', 'between', '-w', '/work', '--', '-c', 'echo $A', '--name', 'theirs'],
  ['--entrypoint', 'sh,-c', '--entrypoint', '"a,b"', 'a:1', '--', 'echo'],
  ['--entrypoint', '', '--env', 'A=b=c', '-e', 'C=d,E=f', 'a:1'],
  [
    ...['-i', 'file:///tmp:/y', '-i', 'src=http://h/x,dst=/z', '-i', 's3://b/k', '-i', 'https://h/in:/in'],
    ...['-o', 'out:/outputs', '-o', 'more:/more', '-p', 'local', '-l', 'a=b,c', '--labels', 'd=e'],
    ...['--cpu', '500m', '--memory', '1gb', '--disk', '2gb', '--gpu', '1', '--timeout', '50'],
    ...['--queue-timeout', '6', '--target', 'all', '--name', 'all', '--namespace', 'q', '--priority', '4'],
    ...['--network', 'bridge', '--task-name', 'one', '--constraints', 'a=b,c!=d,e', 'a:1', 'echo'],
  ],
  ['--count', '3', '--network', 'host', 'a:1', '--', 'ls', '-l'],
  ['--network', 'none', '-p', 'local', '-o', 'out:/out', 'a:1'],
]

describe('docker run', () => {
  test('makes the job of its flags', async () => {
    const job = await ourJob([
      ...['--name', 'n', '--entrypoint', 'sh,-c', '-w', '/work', '-e', 'A=b', '--network', 'none'],
      ...['-i', 'file:///tmp', '-o', 'out:/out', '-p', 'local', '--memory', '1gb', 'a:1', '--', 'echo', '-n'],
    ])
    expect(job).toEqual({
      Name: 'n',
      Type: 'batch',
      Tasks: [
        {
          Name: 'main',
          Engine: {
            Type: 'docker',
            Params: {
              Image: 'a:1',
              Entrypoint: ['sh', '-c'],
              Parameters: ['echo', '-n'],
              WorkingDirectory: '/work',
            },
          },
          Publisher: { Type: 'local', Params: {} },
          Env: { A: 'b' },
          Network: { Type: 'none', Domains: [] },
          InputSources: [
            {
              Source: { Type: 'local', Params: { SourcePath: '/tmp', ReadWrite: false } },
              Alias: 'file:///tmp',
              Target: '/inputs',
            },
          ],
          ResultPaths: [{ Name: 'out', Path: '/out' }],
          Resources: { Memory: '1gb' },
          Timeouts: {},
        },
      ],
    })
  })

  test('makes the job that the official command line makes', { timeout: 120_000 }, async ({ annotate }) => {
    const why = officialMissing()
    if (why !== null) {
      await annotate(`not compared: ${why}`)
      return
    }
    for (const line of LINES) {
      const text = await official('1.9.3', ['--dry-run', ...line])
      const theirs = parse(text.slice(text.indexOf('Constraints:'))) as object
      expect([line, kept(await ourJob(line))]).toEqual([line, kept(theirs)])
    }
  })

  test.each([
    [['a', '-w', 'work'], 2, /It must be an absolute path/],
    [['a', '--entrypoint', '"sh'], 2, /Quotes in it must enclose a whole word/],
    [['a', '-e', 'A'], 2, /It must be name=value/],
    [['a', '-x'], 2, /unknown option '-x'/],
    [['a', '-c', 'a=b'], 2, /--constraints SELECTOR/],
    [['a', '--dry-run', '--network', 'http'], 1, /HTTP is not offered by the engine docker/],
    [[], 2, /missing required argument 'image'/],
  ])('refuses %j', async (args, code, message) => {
    const run = await session.run(['docker', 'run', ...args], { env: {} })
    expect(run).toMatchObject({ code, stderr: expect.stringMatching(message) })
  })

  test.for(['1.9.3', '1.4.0'] as const)(
    'has each flag of %s, or docs/compatibility.md says what is in its place',
    { timeout: 60_000 },
    async (release, { annotate }) => {
      const why = officialMissing()
      if (why !== null) {
        await annotate(`not looked for: ${why}`)
        return
      }
      const help = await official(release, ['--help'])
      const command = createCommandLine(keptTerminal({}))
        .commands.find((one) => one.name() === 'docker')
        ?.commands.find((one) => one.name() === 'run')
      const known = (command?.options ?? []).filter(
        ({ hidden, description }) => !hidden || /^The same as |anyway$/.test(description),
      )
      const ours = new Set(['-h', '--help', ...known.flatMap(({ short, long }) => [short, long])])
      const table = readFileSync(DOCUMENT, 'utf8')
        .split('\n## ')
        .find((part) => part.startsWith('The command line'))
      const said = new Set(
        (table?.match(/^\| .*? \|/gm) ?? []).flatMap((cell) => cell.match(/(?<=[` ])--?[\w-]+/g) ?? []),
      )
      const flags = [...help.matchAll(/^ +(?:(-\w), )?(--[\w-]+)/gm)]
      expect(flags.length).toBeGreaterThan(30)
      const missing = flags
        .flatMap(([, short, long]) => [...(short === undefined ? [] : [short]), long ?? ''])
        .filter((flag) => !ours.has(flag) && !said.has(flag))
      expect(missing).toEqual([])
    },
  )
})
