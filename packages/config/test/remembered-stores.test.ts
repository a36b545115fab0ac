import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { flagUses } from '../../../test/flag-uses.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import {
  type Config,
  findStores,
  formatFinding,
  goneStores,
  loadConfig,
  type OpenedStores,
  REMEMBERED_STORES_FILE_NAME,
  rememberReplacement,
  rememberStores,
  type StoreIdentity,
  strangeStores,
  wasReplaced,
} from '../src/index.ts'

const IDS: OpenedStores = { requester: { storeId: 'store-1' }, compute: { storeId: 'store-2' } }
const START = Date.UTC(2026, 0, 2, 3, 4, 5)
const SEEN = 'last seen at the start of 2026-01-02T03:04:05.000Z'

function setUp() {
  const directory = temporaryDirectory({ 'away/jobs.db': 'store', 'repo/me-compute/executions.db': 'store' })
  const repository = join(directory, 'repo')
  const configAt = (...argv: readonly string[]): Config => {
    const { config } = loadConfig({ flags: flagUses('--repo', repository, ...argv), env: {} })
    if (config === undefined) throw new Error('no configuration')
    return config
  }
  const away = join(directory, 'away/jobs.db')
  const elsewhere = join(directory, 'elsewhere/jobs.db')
  return { directory, repository, configAt, away, elsewhere }
}

const JOBS = '--requester-job-store-path'
const remember = (config: Config, opened: OpenedStores = IDS, nowMs = START): string[] =>
  rememberStores({ config, nodeId: 'me', opened, nowMs }).map(formatFinding)
const told = (config: Config, fresh = false, nodeId = 'me'): string[] =>
  findStores({ config, nodeId, fresh }).map((finding) => `${finding.severity} ${formatFinding(finding)}`)

it('a store is found again where it was at an earlier start, whatever path is configured now', () => {
  const { repository, configAt, away, elsewhere } = setUp()
  const before = configAt(JOBS, away)
  remember(before)
  expect(statSync(join(repository, REMEMBERED_STORES_FILE_NAME)).mode & 0o777).toBe(0o600)
  expect(told(before)).toEqual([])
  const usual = join(repository, 'me-requester/jobs.db')
  for (const [argv, path] of [
    [[JOBS, elsewhere], elsewhere],
    [[], usual],
  ] as const) {
    const said = `no job store is at ${path}, but one of an earlier start is at ${away}`
    expect(told(configAt(...argv))).toEqual([
      `refuse ${said}; move it there (mv ${away} ${path}), set the path back (${JOBS}), or start with --fresh to begin an empty store beside it`,
    ])
    expect(told(configAt(...argv), true)[0]).toMatch(`warn ${said}`)
  }
  expect(told(configAt('--requester-job-store-type', 'memory')).at(-1)).toMatch(/^warn .*earlier start/)
})

it('what a node left of a store that was removed under it is named first', () => {
  const { configAt, away } = setUp()
  const config = configAt(JOBS, away)
  remember(config)
  rmSync(away)
  writeFileSync(`${away}.removed-13`, '')
  const [said] = told(config)
  expect(said).toContain(
    `; move ${basename(away)}.removed-13 there, which its node left when it was removed, mount`,
  )
})

it('a store that was there and is gone is named, with its id, when it was seen, and what can be done', () => {
  const { repository, configAt, away, elsewhere } = setUp()
  const config = configAt(JOBS, away)
  remember(config)
  rmSync(dirname(away), { recursive: true })
  const ways =
    'mount its volume, put it back, restore a backup, or start once with --fresh where an empty one is meant'
  expect(told(config)).toEqual([`refuse the job store at ${away} is gone: store store-1, ${SEEN}; ${ways}`])
  expect(told(config, true)).toEqual([
    `warn the job store at ${away} is gone: store store-1, ${SEEN}; mount its volume, put it back, or restore a backup`,
    `warn --fresh begins an empty job store at ${away}; the node goes on with the execution store at ${repository}/me-compute/executions.db, and nothing that lies elsewhere is touched`,
  ])
  expect(told(configAt(JOBS, elsewhere))).toEqual([
    `refuse no job store is at ${elsewhere}, and that of an earlier start is gone from ${away}: store store-1, ${SEEN}; ${ways}`,
  ])
  const [found] = findStores({ config, nodeId: 'me' })
  expect(found?.restoreTo).toBe(away)
  mkdirSync(join(repository, 'orchestrator_store'))
  writeFileSync(join(repository, 'orchestrator_store/jobs.db'), 'what Bacalhau left is no first start')
  expect(told(config)).toHaveLength(1)
  expect(told(configAt(JOBS, elsewhere, '--requester-job-store-type', 'memory'))).toEqual([
    expect.stringMatching(/^warn .*memory/),
  ])
})

it('who knows no configuration learns which stores of the newest start are gone', () => {
  const { repository, configAt, away, elsewhere } = setUp()
  const gone = (): string[] => goneStores(repository).map(formatFinding)
  expect(gone()).toEqual([])
  remember(configAt(JOBS, away))
  mkdirSync(dirname(elsewhere))
  renameSync(away, elsewhere)
  const ways = 'mount its volume, put it back, or restore a backup'
  expect(gone()).toEqual([`the job store at ${away} is gone: store store-1, ${SEEN}; ${ways}`])
  expect(goneStores(repository)[0]?.restoreTo).toBe(away)
  remember(configAt(JOBS, elsewhere))
  expect(gone()).toEqual([])
  rmSync(join(repository, 'me-compute'), { recursive: true })
  expect(gone()).toEqual([
    `the execution store at ${repository}/me-compute/executions.db is gone: store store-2, ${SEEN}; ${ways}`,
  ])
  expect(goneStores(join(repository, 'nowhere'))).toEqual([])
})

it('a store that is gone is not taken for one of an earlier start that is still there', () => {
  const { configAt, away, elsewhere } = setUp()
  remember(configAt(JOBS, away))
  mkdirSync(dirname(elsewhere))
  writeFileSync(elsewhere, 'store')
  remember(configAt(JOBS, elsewhere), { requester: { storeId: 'store-3' } })
  expect(told(configAt(JOBS, elsewhere))).toEqual([])
  rmSync(elsewhere)
  expect(told(configAt(JOBS, elsewhere))).toEqual([
    expect.stringMatching(/^refuse the job store at .*elsewhere.* is gone: store store-3/),
  ])
})

it('both stores and an archive may be gone at once', () => {
  const { directory, repository, configAt } = setUp()
  const archive = join(directory, 'archive')
  mkdirSync(join(repository, 'me-requester'))
  mkdirSync(archive)
  for (const path of [join(repository, 'me-requester/jobs.db'), join(archive, 'manifest.ndjson')]) {
    writeFileSync(path, 'store')
  }
  const config = { ...configAt(), archive: { directory: archive } }
  remember(config)
  expect(told(config)).toEqual([])
  renameSync(archive, `${archive}.away`)
  const goneArchive = `the archive in ${archive} is gone: ${SEEN}; mount its volume, put it back`
  expect(told(config)).toEqual([
    `refuse ${goneArchive}, restore a copy of it, or start once with --fresh where an empty one is meant`,
  ])
  expect(told(config, true)).toEqual([`warn ${goneArchive}, or restore a copy of it`])
  for (const name of ['me-requester', 'me-compute']) rmSync(join(repository, name), { recursive: true })
  expect(told(config).map((line) => line.split(' is gone')[0])).toEqual([
    `refuse the job store at ${repository}/me-requester/jobs.db`,
    `refuse the execution store at ${repository}/me-compute/executions.db`,
    `refuse the archive in ${archive}`,
  ])
  expect(told({ ...config, archive: { directory: `${archive}.new` } }, false).length).toBe(2)
})

it('one of two stores that is there alone is no first start, where nothing is remembered', () => {
  const { repository, configAt } = setUp()
  const usual = join(repository, 'me-requester/jobs.db')
  expect(told(configAt())).toEqual([
    expect.stringContaining(
      `refuse no job store is at ${usual}, although the execution store of this node is there: ${repository}/me-compute/executions.db; mount`,
    ),
  ])
  expect(told(configAt(), true)).toEqual([
    expect.stringMatching(/^warn no job store/),
    expect.stringMatching(/^warn --fresh begins an empty job store/),
  ])
  // A first start that was cut short when it had made one of its stores.
  expect(rememberStores({ config: configAt(), nodeId: 'me', nowMs: START })).toEqual([])
  expect(told(configAt())).toEqual([])
})

it('a new role, and a store that was in memory, begin empty', () => {
  const { configAt, away } = setUp()
  remember(configAt(JOBS, away, '--node-type', 'requester'))
  expect(told(configAt(JOBS, away))).toEqual([])
  const second = setUp()
  remember(second.configAt('--requester-job-store-type', 'memory'))
  expect(told(second.configAt())).toEqual([])
})

it('another store in the place of the one that was there is told of once', () => {
  const { configAt, away } = setUp()
  const config = configAt(JOBS, away)
  expect(remember(config)).toEqual([])
  expect(remember(config, { ...IDS, requester: { storeId: 'store-9' } })).toEqual([
    `the store at ${away} has the id store-9, but the one that was there at 2026-01-02T03:04:05.000Z had the id store-1; after a repair or salvage that is so; otherwise look whether the right volume is mounted`,
  ])
  expect(remember(config, { ...IDS, requester: { storeId: 'store-9' } })).toEqual([])
  rmSync(away)
  // As a start with --fresh does.
  expect(rememberStores({ config, nodeId: 'me', nowMs: START })).toEqual([])
  writeFileSync(away, 'store')
  expect(remember(config, { ...IDS, requester: { storeId: 'store-7' } })).toEqual([])
})

it('a repository that is moved remembers the stores in it where it is', () => {
  const { directory, repository, configAt, away } = setUp()
  remember(configAt(JOBS, away))
  const moved = join(directory, 'moved')
  renameSync(repository, moved)
  const config = { ...configAt(JOBS, away), dataDir: moved }
  expect(told(config)).toEqual([])
  rmSync(join(moved, 'me-compute'), { recursive: true })
  expect(told(config)).toEqual([
    expect.stringContaining(`the execution store at ${moved}/me-compute/executions.db is gone`),
  ])
})

it('a node with all its stores has nothing to begin', () => {
  const { repository, configAt, away } = setUp()
  const config = configAt(JOBS, away)
  expect(told(config, true)).toEqual([
    `refuse --fresh begins stores where there are none, and this node has its own: the job store at ${away} and the execution store at ${repository}/me-compute/executions.db; leave --fresh out to go on with them, or begin elsewhere with --repo, or move them aside first`,
  ])
  expect(told(configAt(JOBS, away, '--node-type', 'requester'), true)[0]).toMatch(/^refuse --fresh/)
  const memory = ['--compute-execution-store-type=memory', '--requester-job-store-type=memory']
  expect(told(configAt(...memory), true).filter((line) => line.startsWith('refuse'))).toEqual([])
})

it('the newest path comes first; a start writes when it begins only what it does not know, and all when its stores are open', () => {
  const { repository, configAt, away, elsewhere } = setUp()
  const file = join(repository, REMEMBERED_STORES_FILE_NAME)
  mkdirSync(dirname(elsewhere))
  writeFileSync(elsewhere, 'store')
  for (const path of [away, elsewhere, away]) remember(configAt(JOBS, path))
  const seenAt = new Date(START).toISOString()
  const compute = [{ path: 'me-compute/executions.db', storeId: 'store-2', seenAt }]
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
    requester: [away, elsewhere].map((path) => ({ path, storeId: 'store-1', seenAt })),
    compute,
    archive: [],
  })
  const { ino } = statSync(file)
  rememberStores({ config: configAt(JOBS, away), nodeId: 'me', nowMs: START + 1 })
  expect(statSync(file).ino).toBe(ino)
  remember(configAt(JOBS, away), {}, START + 1)
  expect(JSON.parse(readFileSync(file, 'utf8')).requester[0]).toEqual({
    path: away,
    storeId: 'store-1',
    seenAt: new Date(START + 1).toISOString(),
  })
  writeFileSync(file, '{"requester": 7')
  expect(told(configAt(JOBS, away))).toEqual([
    `warn which stores this node has had cannot be read in ${file}: it is not JSON; those that are there are taken for its own, and it is written anew`,
  ])
  rmSync(away)
  for (const damaged of [
    '{"requester": 7',
    '{}',
    '{"requester": {}}',
    '{"requester": [], "compute": [], "archive": 5}',
    JSON.stringify({ requester: [{ path: away, seenAt: 5 }], compute: [] }),
    JSON.stringify({ requester: [{ path: away, seenAt: '', sequence: 'x' }], compute: [] }),
  ]) {
    writeFileSync(file, damaged)
    expect([damaged, ...told(configAt(JOBS, away))]).toEqual([
      damaged,
      expect.stringMatching(
        /^refuse no job store is at .*, and which stores this node has had cannot be read/,
      ),
    ])
  }
})

it('another store in the place of one that is remembered is refused, and so is an older copy of itself', () => {
  const { repository, configAt, away, elsewhere } = setUp()
  const config = configAt(JOBS, away)
  const opened = { storeId: 'store-1', incarnation: 'i-2', sequence: 20 }
  remember(config, { ...IDS, requester: opened })
  const strange = (requester: StoreIdentity, at = config): string[] =>
    strangeStores({ config: at, nodeId: 'me', identities: { requester } }).map(
      (finding) => `${finding.severity} ${finding.message}`,
    )
  const same = { storeId: 'store-1', incarnations: ['i-1', 'i-2'], sequence: 20 }
  expect(strange(same)).toEqual([])
  // After a crash the store is ahead of what is remembered.
  expect(strange({ ...same, incarnations: ['i-1', 'i-2', 'i-3'], sequence: 30 })).toEqual([])
  // What is damaged is for its opening to say.
  for (const identity of [{}, { storeId: 'store-1' }, { sequence: 3 }]) expect(strange(identity)).toEqual([])
  expect(strange({ ...same, storeId: 'store-9' })).toEqual([
    `refuse the job store at ${away} is another store: its id is store-9, and the one that was there at the start of 2026-01-02T03:04:05.000Z had the id store-1`,
  ])
  const older = expect.stringMatching(/^refuse the job store at .* is an older copy of itself/)
  expect(strange({ ...same, incarnations: ['i-1'] })).toEqual([older])
  expect(strange({ ...same, sequence: 19 })).toEqual([older])
  const moved = configAt(JOBS, elsewhere)
  expect(strange(same, moved)).toEqual([])
  expect(strange({ ...same, sequence: 19 }, moved)).toEqual([older])
  expect(strange({ ...same, storeId: 'store-9' }, moved)).toEqual([expect.stringContaining(`was at ${away}`)])
  expect(rememberReplacement(repository, elsewhere, {})).toBe(false)
  expect(rememberReplacement(repository, away, {})).toBe(true)
  expect(strange({ ...same, storeId: 'store-9' })).toEqual([])
  rememberReplacement(repository, away, { storeId: 'store-9', sequence: 3 })
  expect(strange(same)).toEqual([expect.stringContaining('is another store')])
  const accepted = strangeStores({ config, nodeId: 'me', identities: { requester: same }, accepted: true })
  expect(accepted.map(formatFinding)).toEqual([
    expect.stringMatching(/ is another store: .*; it is taken as it is, as --accept-stores says$/),
  ])
  expect(accepted[0]?.severity).toBe('warn')
  expect(told(config)).toEqual([])
})

it('that a store was put there on purpose is known until both stores were worked with', () => {
  const { repository, configAt, away } = setUp()
  const config = configAt(JOBS, away)
  const replaced = (): boolean[] =>
    (['requester', 'compute'] as const).map((role) => wasReplaced(config, 'me', role))
  expect(replaced()).toEqual([false, false])
  remember(config)
  expect(replaced()).toEqual([false, false])
  rememberReplacement(repository, away, { storeId: 'store-9' })
  expect(replaced()).toEqual([true, false])
  const opened = { ...IDS, requester: { storeId: 'store-9', incarnation: 'i-1' } }
  remember(config, opened)
  expect(replaced()).toEqual([true, false])
  rememberStores({ config, nodeId: 'me', opened, met: true, nowMs: START })
  expect(replaced()).toEqual([false, false])
  // One that is begun anew where another was is there on purpose, too.
  rmSync(away)
  rememberStores({ config, nodeId: 'me', nowMs: START })
  expect(replaced()).toEqual([true, false])
})

it('files that a store left in its own place tell that there was one, where nothing is remembered', () => {
  const { repository, configAt } = setUp()
  rmSync(join(repository, 'me-compute'), { recursive: true })
  mkdirSync(join(repository, 'me-requester'))
  expect(told(configAt())).toEqual([])
  writeFileSync(join(repository, 'me-requester/jobs.db-lock'), '')
  expect(told(configAt())).toEqual([
    expect.stringMatching(/^refuse no job store is at .*jobs\.db, although .*jobs\.db-lock is there/),
  ])
})
