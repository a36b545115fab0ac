import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { flagUses } from '../../../test/flag-uses.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import {
  type Config,
  findStores,
  formatFinding,
  listStores,
  loadConfig,
  resolvePaths,
  type StoreFinding,
} from '../src/index.ts'
import { boltFile } from './samples.ts'

const OURS_COMPUTE = 'me-compute/executions.db'
const OURS_REQUESTER = 'me-requester/jobs.db'

function configOf(repository: string, ...argv: readonly string[]): Config {
  const { config, errors } = loadConfig({ flags: flagUses('--repo', repository, ...argv), env: {} })
  expect(errors).toEqual([])
  if (config === undefined) throw new Error('no configuration')
  return config
}

/** Looks for stores and proves that looking changed nothing. */
function find(repository: string, argv: readonly string[] = [], fresh = false): readonly StoreFinding[] {
  const config = configOf(repository, ...argv)
  const before = snapshot(dirname(repository))
  const findings = findStores({ config, nodeId: config.nodeId ?? 'me', fresh })
  expect(snapshot(dirname(repository))).toEqual(before)
  for (const finding of findings) expect(formatFinding(finding)).not.toContain('\n')
  return findings
}

function snapshot(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).map((entry) => {
    const path = join(entry.parentPath, entry.name)
    return `${path} ${entry.isFile() ? `${statSync(path).mtimeMs} ${readFileSync(path).toString('hex')}` : ''}`
  })
}

function repositoryWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const inner = Object.entries(files).map(([name, contents]) => [`repo/${name}`, contents] as const)
  const repository = join(temporaryDirectory(Object.fromEntries(inner)), 'repo')
  mkdirSync(repository, { recursive: true })
  return repository
}

function kinds(findings: readonly StoreFinding[]): string[] {
  return findings.map(({ kind, severity }) => `${severity} ${kind}`)
}

describe('resolvePaths', () => {
  it('names the defaults after the node id', () => {
    expect(resolvePaths(configOf('/r'), 'n-1')).toEqual({
      repository: '/r',
      executionStore: { type: 'lmdb', path: '/r/n-1-compute/executions.db' },
      jobStore: { type: 'lmdb', path: '/r/n-1-requester/jobs.db' },
      results: '/r/n-1-compute/results',
    })
    expect(() => resolvePaths(configOf('/r'), '../x')).toThrow(TypeError)
  })

  it('keeps what is configured; boltdb means lmdb, memory has no path', () => {
    const config = configOf(
      '/r',
      '--compute-execution-store-type=boltdb',
      '--compute-execution-store-path=/x/e.db',
      '--requester-job-store-type=inmemory',
    )
    expect(resolvePaths(config, 'me')).toMatchObject({
      executionStore: { type: 'lmdb', path: '/x/e.db' },
      jobStore: { type: 'memory' },
    })
  })
})

describe('findStores', () => {
  it('finds nothing in a new repository, or in one that is used again', () => {
    expect(find(join(temporaryDirectory(), 'none'))).toEqual([])
    expect(find(repositoryWith({}))).toEqual([])
    expect(find(repositoryWith({ 'node-id': 'me\n', [OURS_COMPUTE]: 'x', [OURS_REQUESTER]: 'x' }))).toEqual(
      [],
    )
  })

  it.each([
    ['me-compute.db', 'execution store'],
    ['QmOld-compute.db', 'execution store'],
    ['compute_store/executions.db', 'execution store'],
    ['compute/state_boltdb.db', 'execution store'],
    ['me-requester.db', 'job store'],
    ['orchestrator_store/jobs.db', 'job store'],
    ['orchestrator/state_boltdb.db', 'job store'],
  ])('refuses to begin an empty store beside %s', (name, store) => {
    const repository = repositoryWith({ [name]: boltFile() })
    const findings = find(repository)
    expect(kinds(findings)).toEqual(['refuse older-default'])
    expect(findings.map(formatFinding)).toEqual([
      `there is no ${store} yet, but older data of Bacalhau is there: ${repository}/${name} (BoltDB); it was left alone: move it elsewhere, name another repository with --repo, or start with --fresh to begin an empty store beside it`,
    ])
    expect(findings[0]?.paths).toEqual([join(repository, name)])
    expect(kinds(find(repository, [], true))).toEqual(['warn older-default', 'warn fresh-begins'])
  })

  it("looks at the stores of the node's roles alone", () => {
    const repository = repositoryWith({ 'compute_store/executions.db': 'x' })
    expect(kinds(find(repository, ['--node-type', 'requester']))).toEqual([])
    expect(kinds(find(repository, ['--node-type', 'compute']))).toEqual(['refuse older-default'])
  })

  it('does not mind older data once there is a store of ours', () => {
    const older = { 'compute_store/executions.db': boltFile(), 'orchestrator_store/jobs.db': boltFile() }
    expect(find(repositoryWith({ ...older, [OURS_COMPUTE]: 'x', [OURS_REQUESTER]: 'x' }))).toEqual([])
    expect(kinds(find(repositoryWith({ ...older, [OURS_COMPUTE]: 'x' })))).toEqual(['refuse older-default'])
  })

  it.each(['lmdb', 'boltdb'])(
    'refuses a BoltDB file at the path of a store of type %s, fresh or not',
    (type) => {
      const repository = repositoryWith({ [OURS_COMPUTE]: boltFile(), [OURS_REQUESTER]: 'x' })
      const argv = ['--compute-execution-store-type', type]
      for (const fresh of [false, true]) {
        const findings = find(repository, argv, fresh)
        expect(findings.map(formatFinding)).toEqual([
          `a BoltDB file, as Bacalhau writes, lies at the path of the execution store: ${repository}/${OURS_COMPUTE}; it was left alone: move it aside to keep it, or give the store another path with --compute-execution-store-path`,
        ])
        expect(kinds(findings)).toEqual(['refuse bolt-at-path'])
      }
    },
  )

  it('knows a BoltDB file whose first page is gone', () => {
    const file = boltFile()
    file.fill(0, 0, 4096)
    const path = join(repositoryWith({ 'own.db': file }), 'own.db')
    const argv = ['--requester-job-store-path', path, '--node-type', 'requester']
    expect(kinds(find(dirname(path), argv))).toEqual(['refuse bolt-at-path'])
  })

  it('takes boltdb for lmdb with one warning for both stores', () => {
    const repository = repositoryWith({})
    const argv = ['--compute-execution-store-type=BoltDB', '--requester-job-store-type=boltdb']
    expect(find(repository, argv).map(formatFinding)).toEqual([
      'the job store and the execution store are of type boltdb, which means lmdb here; set the type to lmdb to be rid of this line',
    ])
    expect(kinds(find(repository, argv))).toEqual(['warn boltdb-means-lmdb'])
  })

  it('warns once that memory forgets, and of what is not used because of it', () => {
    const repository = repositoryWith({ [OURS_COMPUTE]: 'x', 'orchestrator_store/jobs.db': 'x' })
    const argv = ['--compute-execution-store-type=memory', '--requester-job-store-type=inmemory']
    const findings = find(repository, argv)
    expect(kinds(findings)).toEqual(['warn memory-forgets', 'warn older-default', 'warn other-path'])
    expect(formatFinding(findings[0] as StoreFinding)).toBe(
      'the job store and the execution store are in memory: a restart forgets everything in them; use the type lmdb to keep them',
    )
  })

  it('refuses a new node id beside the stores of others, with the list', () => {
    const repository = repositoryWith({
      'a-compute/executions.db': 'x',
      'b-requester/jobs.db': 'x',
      'c-compute/results/1': 'x',
    })
    const findings = find(repository)
    expect(findings.map(formatFinding)).toEqual([
      `node id me has no store in ${repository}, but other ids have: ${repository}/a-compute/executions.db, ${repository}/b-requester/jobs.db; give the id that is meant with --node-id (a, b), or start with --fresh to begin an empty store beside it`,
    ])
    expect(kinds(findings)).toEqual(['refuse other-node'])
    const started = find(repository, [], true)
    expect(kinds(started)).toEqual(['warn other-node', 'warn fresh-begins'])
    expect(started[0]?.hint).toBe('give the id that is meant with --node-id (a, b)')
    const [made] = findStores({ config: configOf(repository), nodeId: 'n-made', idIsNew: true })
    expect(made?.message).toBe(
      `no node id was given, and ${repository} has stores of a, b: ${repository}/a-compute/executions.db, ${repository}/b-requester/jobs.db`,
    )
    expect(kinds(find(repository, ['--node-id', 'a']))).toEqual(['refuse store-gone'])
    expect(find(repository, ['--node-id', 'a', '--node-type', 'compute'])).toEqual([])
    expect(find(repository, ['--node-id', 'b', '--node-type', 'requester'])).toEqual([])
  })

  it('refuses another path while the store lies at the default one', () => {
    const repository = repositoryWith({ [OURS_COMPUTE]: 'x', [OURS_REQUESTER]: 'x' })
    const argv = ['--requester-job-store-path', join(repository, 'new.db')]
    expect(kinds(find(repository, argv))).toEqual(['refuse other-path'])
    const started = find(repository, argv, true)
    expect(kinds(started)).toEqual(['warn other-path', 'warn fresh-begins'])
    expect(started[0]?.hint).toBe('move it there, or leave --requester-job-store-path out')
    writeFileSync(join(repository, 'new.db'), 'x')
    expect(find(repository, argv)).toEqual([])
  })

  it('refuses one path for both stores, also where one of them is a default', () => {
    const repository = repositoryWith({})
    expect(
      kinds(find(repository, ['--compute-execution-store-path', join(repository, OURS_REQUESTER)])),
    ).toEqual(['refuse same-path'])
  })

  it('refuses a repository that is a file', () => {
    const home = temporaryDirectory({ 'x/plain': '' })
    const config = { ...configOf(join(home, 'x')), dataDir: join(home, 'x/plain') }
    expect(findStores({ config, nodeId: 'me' }).map(formatFinding)).toEqual([
      `the repository directory ${home}/x/plain is not a directory; correct it, or name another one with --repo`,
    ])
  })

  it('refuses a repository at or below a link that leads nowhere', () => {
    const home = temporaryDirectory({ 'x/plain': '' })
    const link = join(home, 'volume')
    symlinkSync('/none/volume', link)
    for (const dataDir of [link, join(link, 'repo')]) {
      const config = { ...configOf(join(home, 'x')), dataDir }
      for (const fresh of [false, true]) {
        expect(findStores({ config, nodeId: 'me', fresh }).map(formatFinding)).toEqual([
          `the repository directory ${dataDir} is not there: ${link} is a symbolic link that leads nowhere; mount the volume that it leads to, correct it, or name another repository with --repo`,
        ])
      }
    }
  })

  it('takes a link that leads nowhere for data that may come back, and waits for no pipe', () => {
    const repository = repositoryWith({ 'compute_store/x': '' })
    symlinkSync('/none/volume.db', join(repository, 'compute_store/executions.db'))
    symlinkSync('/none/volume', join(repository, 'other-requester'))
    execFileSync('mkfifo', [join(repository, 'old-requester.db')])
    const config = configOf(repository)
    expect(kinds(findStores({ config, nodeId: 'me' }))).toEqual([
      'refuse older-default',
      'refuse older-default',
      'refuse other-node',
    ])
  })

  it('shortens a long list and escapes odd names', () => {
    const many = Object.fromEntries(
      Array.from({ length: 13 }, (_, index) => [`n\n${index + 10}-compute/executions.db`, 'x']),
    )
    const [finding] = find(repositoryWith(many))
    expect(finding?.paths).toHaveLength(13)
    expect(finding && formatFinding(finding)).toMatch(/n\\x0a19-compute\/executions\.db and 3 more; /)
  })
})

describe('listStores', () => {
  it('lists the stores of all nodes', () => {
    const repository = repositoryWith({
      [OURS_COMPUTE]: 'x',
      'a-requester/jobs.db': 'x',
      'a-compute/none': 'x',
      '-compute/executions.db': 'x',
    })
    expect(listStores(repository)).toEqual([
      { nodeId: 'a', role: 'requester', path: join(repository, 'a-requester/jobs.db') },
      { nodeId: 'me', role: 'compute', path: join(repository, OURS_COMPUTE) },
    ])
  })
})
