import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import {
  type Config,
  findStores,
  formatFinding,
  loadConfig,
  rememberStorePaths,
  USED_PATHS_FILE_NAME,
} from '../src/index.ts'
import { temporaryDirectory } from './temporary-directory.ts'

function setUp() {
  const directory = temporaryDirectory({ 'away/jobs.db': 'store', 'repo/keep': '' })
  const repository = join(directory, 'repo')
  const configAt = (...argv: readonly string[]): Config => {
    const { config } = loadConfig({ argv: ['--repo', repository, ...argv], env: {} })
    if (config === undefined) throw new Error('no configuration')
    return config
  }
  const away = join(directory, 'away/jobs.db')
  const elsewhere = join(directory, 'elsewhere/jobs.db')
  return { repository, configAt, away, elsewhere }
}

const told = (config: Config, fresh = false): string[] =>
  findStores({ config, nodeId: 'me', fresh }).map(
    (finding) => `${finding.severity} ${formatFinding(finding)}`,
  )

it('a store is found again where it was at an earlier start, whatever path is configured now', () => {
  const { repository, configAt, away, elsewhere } = setUp()
  const before = configAt('--requester-job-store-path', away)
  rememberStorePaths(before, 'me')
  expect(statSync(join(repository, USED_PATHS_FILE_NAME)).mode & 0o777).toBe(0o600)
  expect(told(before)).toEqual([])
  const usual = join(repository, 'me-requester/jobs.db')
  for (const [argv, path] of [
    [['--requester-job-store-path', elsewhere], elsewhere],
    [[], usual],
  ] as const) {
    const said = `no job store is at ${path}, but one of an earlier start is at ${away}`
    expect(told(configAt(...argv))).toEqual([
      `refuse ${said}; move it there (mv ${away} ${path}), set the path back (--requester-job-store-path), or start with --fresh to begin an empty store beside it`,
    ])
    expect(told(configAt(...argv), true)[0]).toMatch(`warn ${said}`)
  }
  expect(told(configAt('--requester-job-store-type', 'memory')).at(-1)).toMatch(/^warn .*earlier start/)
})

it('nothing is said of a store that is gone, or where one is at the configured path', () => {
  const { repository, configAt, away, elsewhere } = setUp()
  rememberStorePaths(configAt('--requester-job-store-path', away), 'me')
  mkdirSync(join(elsewhere, '..'))
  writeFileSync(elsewhere, 'store')
  expect(told(configAt('--requester-job-store-path', elsewhere))).toEqual([])
  rmSync(elsewhere)
  rmSync(away)
  expect(told(configAt('--requester-job-store-path', elsewhere))).toEqual([])
  writeFileSync(join(repository, USED_PATHS_FILE_NAME), '{"requester": 7')
  expect(told(configAt())).toEqual([])
})

it('the newest path comes first, and a start at the same path writes nothing', () => {
  const { repository, configAt, away, elsewhere } = setUp()
  const file = join(repository, USED_PATHS_FILE_NAME)
  for (const path of [away, elsewhere, away]) {
    rememberStorePaths(configAt('--requester-job-store-path', path), 'me')
  }
  const text = readFileSync(file, 'utf8')
  expect(JSON.parse(text)).toEqual({
    requester: [away, elsewhere],
    compute: [join(repository, 'me-compute/executions.db')],
  })
  const { ino } = statSync(file)
  rememberStorePaths(configAt('--requester-job-store-path', away), 'me')
  expect(statSync(file).ino).toBe(ino)
})
