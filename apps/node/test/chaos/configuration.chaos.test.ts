import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ProgramSession } from '../../../../test/program-session.ts'
import { sharedDirectory } from '../../../../test/temporary-directory.ts'
import { COMMANDS } from '../cli/binary.ts'
import { pictureOf } from './directory-picture.ts'

const root = sharedDirectory()

let session: ProgramSession
beforeAll(() => {
  session = new ProgramSession(COMMANDS)
})
afterAll(() => session.close())

interface Mistake {
  readonly name: string
  readonly argv?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** The config file of the repository. */
  readonly file?: string
  /** Lays out the repository. */
  readonly prepare?: (repository: string) => void
  /** One for each line of the refusal. */
  readonly says: readonly RegExp[]
}

function boltFile(path: string): void {
  const bytes = Buffer.alloc(16_384)
  for (const start of [0, 4_096]) {
    bytes.writeUInt16LE(4, start + 8)
    bytes.writeUInt32LE(0xed0cdaed, start + 16)
    bytes.writeUInt32LE(2, start + 20)
    bytes.writeUInt32LE(4_096, start + 24)
  }
  writeFileSync(path, bytes)
}

function lay(...path: readonly string[]): (repository: string) => void {
  return (repository) => {
    mkdirSync(join(repository, ...path.slice(0, -1)), { recursive: true })
    boltFile(join(repository, ...path))
  }
}

const WRONG_VALUES: readonly Mistake[] = [
  { name: 'an unknown flag', argv: ['--prot', '1'], says: [/--prot/] },
  { name: 'a flag without its value', argv: ['--node-id'], says: [/--node-id/] },
  { name: 'a port that is a word', argv: ['--port', 'http'], says: [/--port.*'http'.*0 to 65535/] },
  {
    name: 'a port that is too large',
    env: { BACALHAU_API_PORT: '65536' },
    says: [/BACALHAU_API_PORT.*65536/],
  },
  { name: 'a host with a scheme', argv: ['--host', 'http://me'], says: [/--host.*http:\/\/me/] },
  { name: 'a role that is none', argv: ['--node-type', 'oracle'], says: [/--node-type.*oracle/] },
  { name: 'a store type that is none', argv: ['--requester-job-store-type', 'sql'], says: [/sql.*lmdb/] },
  {
    name: 'a store type that is none, in the environment',
    env: { BACALHAU_COMPUTE_STORE_TYPE: 'sql' },
    says: [/BACALHAU_COMPUTE_STORE_TYPE.*sql.*lmdb/],
  },
  { name: 'a node id with a slash', argv: ['--node-id', '../x'], says: [/--node-id.*\.\.\/x/] },
  { name: 'an unknown key', file: 'Node: { Tpye: [compute] }', says: [/saltcod\.yaml.*Tpye.*Type/] },
  { name: 'a key in the wrong form', file: 'API: [1]', says: [/saltcod\.yaml.*API/] },
  { name: 'a file that is no YAML', file: 'API: {', says: [/saltcod\.yaml/] },
  { name: 'a file that is a list', file: '- 1', says: [/saltcod\.yaml/] },
  { name: 'a duration that is none', file: 'GracePeriod: soon', says: [/GracePeriod.*soon/] },
  { name: 'a size that is none', file: 'Quota: { SpecSize: huge }', says: [/Quota\.SpecSize.*huge/] },
  {
    name: 'an action that is none',
    file: 'Recovery: { Cells: { Running: { batch: pray } } }',
    says: [/pray/],
  },
  {
    name: 'a config file that is not there',
    argv: ['--config', '/nowhere/x.yaml'],
    says: [/\/nowhere\/x\.yaml/],
  },
  { name: 'a node that is compute alone', argv: ['--node-type', 'compute'], says: [/requester/] },
  {
    name: 'all mistakes at once',
    argv: ['--port', 'x', '--node-type', 'y'],
    env: { BACALHAU_JOB_STORE_TYPE: 'z' },
    file: 'GracePeriod: never\nAPI: { Prot: 1 }',
    says: [/--port/, /--node-type/, /BACALHAU_JOB_STORE_TYPE/, /GracePeriod/, /Prot/],
  },
]

const WRONG_PLACES: readonly Mistake[] = [
  {
    name: 'both stores at one path',
    argv: ['--requester-job-store-path', '/tmp/x.db', '--compute-execution-store-path', '/tmp/x.db'],
    says: [/\/tmp\/x\.db.*path of.*too/],
  },
  {
    name: 'BoltDB at the path of the job store',
    argv: ['--node-id', 'n', '--requester-job-store-type', 'boltdb'],
    prepare: lay('n-requester', 'jobs.db'),
    says: [/BoltDB.*jobs\.db/],
  },
  {
    name: 'BoltDB at the path of the execution store',
    argv: ['--node-id', 'n', '--compute-execution-store-type', 'boltdb'],
    prepare: lay('n-compute', 'executions.db'),
    says: [/BoltDB.*executions\.db/],
  },
  ...[
    ['n-compute.db'],
    ['n-requester.db'],
    ['compute_store', 'executions.db'],
    ['orchestrator_store', 'jobs.db'],
    ['orchestrator', 'state_boltdb.db'],
    ['compute', 'state_boltdb.db'],
  ].map((path) => ({
    name: `older data at ${path.join('/')}`,
    argv: ['--node-id', 'n'],
    prepare: lay(...path),
    says: [new RegExp(`${path.at(-1)}.*--fresh`)],
  })),
  {
    name: 'stores of another node id',
    argv: ['--node-id', 'n'],
    prepare: (repository) => {
      lay('other-requester', 'jobs.db')(repository)
      lay('other-compute', 'executions.db')(repository)
    },
    says: [/other-requester.*--node-id \(other\).*--fresh/],
  },
  {
    name: 'a repository that is a file',
    prepare: (repository) => writeFileSync(repository, 'x'),
    says: [/repo.*not a directory/],
  },
  {
    name: 'a repository below a file',
    prepare: (repository) => writeFileSync(join(repository, '..', 'file'), 'x'),
    argv: ['--repo', 'BESIDE/file/repo'],
    says: [/file\/repo/],
  },
  {
    name: 'a repository that is a link in a circle',
    prepare: (repository) => symlinkSync(repository, repository),
    says: [/repo/],
  },
  {
    name: 'a node id file that is spoiled',
    prepare: (repository) => {
      mkdirSync(repository)
      writeFileSync(join(repository, 'node-id'), '../../etc\n')
    },
    says: [/node-id/],
  },
]

test.concurrent.each([...WRONG_VALUES, ...WRONG_PLACES].map((mistake) => [mistake.name, mistake] as const))(
  '%s: one clear line each, exit code 2, nothing written',
  async (_, { argv = [], env = {}, file, prepare, says }) => {
    const directory = mkdtempSync(join(root, 'case-'))
    const repository = join(directory, 'repo')
    prepare?.(repository)
    if (file !== undefined) {
      mkdirSync(repository)
      writeFileSync(join(repository, 'saltcod.yaml'), file)
    }
    const before = pictureOf(directory)
    const given = argv.map((word) => word.replace('BESIDE', directory))
    const place = given.includes('--repo') ? [] : ['--repo', repository]
    const ran = await session.run(
      ['serve', ...place, ...(given.includes('--port') ? [] : ['--port', '0']), ...given],
      {
        env: { ...env, HOME: directory },
      },
    )
    expect({ code: ran.code, stdout: ran.stdout }, ran.stderr).toEqual({ code: 2, stdout: '' })
    const lines = ran.stderr
      .trimEnd()
      .split('\n')
      .filter((line) => !line.startsWith('{'))
    const errors = lines.filter((line) => line.startsWith('Error: '))
    expect(
      lines.filter((line) => !/^(Error|Hint): /.test(line)),
      ran.stderr,
    ).toEqual([])
    expect(errors.length, ran.stderr).toBe(says.length)
    for (const wanted of says)
      expect(
        errors.some((line) => wanted.test(line)),
        `${wanted}: ${ran.stderr}`,
      ).toBe(true)
    expect(pictureOf(directory)).toEqual(before)
  },
)
