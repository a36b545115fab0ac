import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { flagUses } from '../../../test/flag-uses.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { type Config, formatProblem, type LoadedConfig, loadConfig } from '../src/index.ts'
import { nested } from './samples.ts'

interface Row {
  readonly key: string
  readonly flags: readonly string[]
  readonly environment: string
  readonly read: (config: Config) => unknown
  /** A value for each origin, as text, and what is read from it. */
  readonly values: readonly [string, unknown][]
  readonly fallback: (home: string) => unknown
}

// The table of settings that operators and scripts rely on.
const TABLE: readonly Row[] = [
  {
    key: 'DataDir',
    flags: ['--repo', '--data-dir'],
    environment: 'BACALHAU_DIR',
    read: (config) => config.dataDir,
    values: [
      ['/data/a', '/data/a'],
      ['/data/b', '/data/b'],
      ['/data/c', '/data/c'],
    ],
    fallback: (home) => join(home, '.bacalhau'),
  },
  {
    key: 'NodeID',
    flags: ['--node-id', '--name'],
    environment: 'BACALHAU_NODE_ID',
    read: (config) => config.nodeId,
    values: [
      ['a', 'a'],
      ['n-b', 'n-b'],
      ['C_3', 'C_3'],
    ],
    fallback: () => undefined,
  },
  {
    key: 'Node.Type',
    flags: ['--node-type'],
    environment: 'BACALHAU_NODE_TYPE',
    read: (config) => config.roles,
    values: [
      ['compute', ['compute']],
      ['requester', ['requester']],
      ['compute, requester', ['requester', 'compute']],
    ],
    fallback: () => ['requester', 'compute'],
  },
  {
    key: 'Node.Compute.ExecutionStore.Type',
    flags: ['--compute-execution-store-type'],
    environment: 'BACALHAU_COMPUTE_STORE_TYPE',
    read: (config) => config.executionStore.type,
    values: [
      ['memory', 'memory'],
      ['BoltDB', 'boltdb'],
      ['InMemory', 'memory'],
    ],
    fallback: () => 'lmdb',
  },
  {
    key: 'Node.Compute.ExecutionStore.Path',
    flags: ['--compute-execution-store-path'],
    environment: 'BACALHAU_COMPUTE_STORE_PATH',
    read: (config) => config.executionStore.path,
    values: [
      ['/data/a.db', '/data/a.db'],
      ['/data/b.db', '/data/b.db'],
      ['/data/c.db', '/data/c.db'],
    ],
    fallback: () => undefined,
  },
  {
    key: 'Node.Requester.JobStore.Type',
    flags: ['--requester-job-store-type'],
    environment: 'BACALHAU_JOB_STORE_TYPE',
    read: (config) => config.jobStore.type,
    values: [
      ['inmemory', 'memory'],
      [' boltdb ', 'boltdb'],
      ['memory', 'memory'],
    ],
    fallback: () => 'lmdb',
  },
  {
    key: 'Node.Requester.JobStore.Path',
    flags: ['--requester-job-store-path'],
    environment: 'BACALHAU_JOB_STORE_PATH',
    read: (config) => config.jobStore.path,
    values: [
      ['/data/a.db', '/data/a.db'],
      ['/data/b.db', '/data/b.db'],
      ['/data/c.db', '/data/c.db'],
    ],
    fallback: () => undefined,
  },
  {
    key: 'API.Host',
    flags: ['--host'],
    environment: 'BACALHAU_API_HOST',
    read: (config) => config.api.host,
    values: [
      ['127.0.0.2', '127.0.0.2'],
      ['localhost', 'localhost'],
      ['[::1]', '::1'],
    ],
    fallback: () => '127.0.0.1',
  },
  {
    key: 'API.Port',
    flags: ['--port'],
    environment: 'BACALHAU_API_PORT',
    read: (config) => config.api.port,
    values: [
      ['0', 0],
      ['8080', 8080],
      ['65535', 65_535],
    ],
    fallback: () => 1234,
  },
]

function lines(loaded: LoadedConfig): string[] {
  return loaded.errors.map(formatProblem)
}

describe.each(TABLE)('the setting $key', ({ key, flags, environment, read, values, fallback }) => {
  const [first = ['', ''], second = ['', ''], third = ['', '']] = values
  const fileValue = key === 'API.Port' ? Number(third[0]) : third[0]

  it('has a default', () => {
    const home = temporaryDirectory()
    const loaded = loadConfig({ flags: flagUses(), env: { HOME: home } })
    expect(lines(loaded)).toEqual([])
    expect(loaded.config && read(loaded.config)).toEqual(fallback(home))
    expect(loaded.origins[key]).toEqual({ kind: 'default' })
  })

  it('comes from the file, with its line', () => {
    const home = temporaryDirectory()
    const file = join(home, 'own.yaml')
    writeFileSync(file, `# a comment\n\n${stringify(nested(key, fileValue))}`)
    const loaded = loadConfig({ flags: flagUses(), env: { HOME: home }, files: [file] })
    expect(lines(loaded)).toEqual([])
    expect(loaded.config && read(loaded.config)).toEqual(third[1])
    expect(loaded.origins[key]).toEqual({ kind: 'file', path: file, line: 2 + key.split('.').length })
  })

  it('comes from the environment before the file', () => {
    const home = temporaryDirectory()
    const file = join(home, 'own.yaml')
    writeFileSync(file, stringify(nested(key, fileValue)))
    const loaded = loadConfig({
      flags: flagUses(),
      env: { HOME: home, [environment]: second[0] },
      files: [file],
    })
    expect(lines(loaded)).toEqual([])
    expect(loaded.config && read(loaded.config)).toEqual(second[1])
    expect(loaded.origins[key]).toEqual({ kind: 'environment', name: environment })
  })

  it('is not set by an empty environment variable', () => {
    const home = temporaryDirectory()
    const loaded = loadConfig({ flags: flagUses(), env: { HOME: home, [environment]: '' } })
    expect(loaded.config && read(loaded.config)).toEqual(fallback(home))
    expect(loaded.origins[key]).toEqual({ kind: 'default' })
  })

  it.each(flags)('comes from %s before all others', (flag) => {
    const home = temporaryDirectory()
    const file = join(home, 'own.yaml')
    writeFileSync(file, stringify(nested(key, fileValue)))
    const env = { HOME: home, [environment]: second[0] }
    const property = flag.slice(2).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
    const forms = [
      flagUses(flag, first[0]),
      [
        { name: flag, value: first[0] },
        { name: flag, value: first[0] },
      ],
      { [flag.slice(2)]: first[0] },
      { [property]: first[0] },
    ]
    for (const form of forms) {
      const loaded = loadConfig({ flags: form, env, files: [file] })
      expect(lines(loaded)).toEqual([])
      expect(loaded.config && read(loaded.config)).toEqual(first[1])
      expect(loaded.origins[key]).toEqual({ kind: 'flag', name: flag })
      expect(loaded.rest).toEqual([])
    }
  })

  it('is refused when its flag is empty or has no value', () => {
    const home = temporaryDirectory()
    const flag = flags[0] ?? ''
    expect(lines(loadConfig({ flags: flagUses(`${flag}=`), env: { HOME: home } }))).toEqual([
      `${flag}: is empty; give it a value or leave it out`,
    ])
    // What a parser hands over where the next flag stands in the place of the value.
    expect(
      lines(loadConfig({ flags: [{ name: flag, value: '--allow-exec' }], env: { HOME: home } })),
    ).toEqual([`${flag}: has no value; write '${flag} VALUE'; a path that begins with -- is written ./--`])
  })
})
