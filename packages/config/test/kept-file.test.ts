import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { flagUses } from '../../../test/flag-uses.ts'
import { fillDisk, smallDisk } from '../../../test/small-disk.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import {
  findStores,
  formatFinding,
  loadConfig,
  REMEMBERED_STORES_FILE_NAME,
  rememberStores,
  strangeStores,
  writeKeptFile,
} from '../src/index.ts'

const PROCESS = fileURLToPath(new URL('kept-file-process.mjs', import.meta.url))
const MODULE = new URL('../dist/kept-file.js', import.meta.url).href
const MOST_STEPS = 30

function configOf(repository: string) {
  const { config } = loadConfig({ flags: flagUses('--repo', repository), env: {} })
  if (config === undefined) throw new Error('no configuration')
  return config
}

const opened = (incarnation: string, sequence: number) => ({
  requester: { storeId: 'store-1', incarnation, sequence },
  compute: { storeId: 'store-2' },
})

test('a kill between any two steps of writing which stores there are leaves the record before or the one after', () => {
  const directory = temporaryDirectory({
    'repo/me-requester/jobs.db': 'store',
    'repo/me-compute/executions.db': 'store',
  })
  const repository = join(directory, 'repo')
  const config = configOf(repository)
  const file = join(repository, REMEMBERED_STORES_FILE_NAME)
  const remember = (incarnation: string, sequence: number) =>
    rememberStores({ config, nodeId: 'me', opened: opened(incarnation, sequence), nowMs: sequence })
  remember('i-1', 10)
  const before = readFileSync(file, 'utf8')
  remember('i-2', 20)
  const after = readFileSync(file, 'utf8')
  const outcomes: string[] = []
  for (let step = 0; step < MOST_STEPS; step++) {
    writeKeptFile(file, before)
    const { signal, status, stderr } = spawnSync(
      process.execPath,
      [PROCESS, MODULE, file, after, String(step)],
      { encoding: 'utf8' },
    )
    const left = readFileSync(file, 'utf8')
    expect([before, after], `step ${step}`).toContain(left)
    outcomes.push(left === before ? 'before' : 'after')
    // A start after it finds nothing wrong with the store, which has gone on, and writes the record anew.
    const identity = { storeId: 'store-1', incarnations: ['i-1', 'i-2'], sequence: 20 }
    expect(strangeStores({ config, nodeId: 'me', identities: { requester: identity } })).toEqual([])
    expect(findStores({ config, nodeId: 'me' })).toEqual([])
    expect(remember('i-2', 20)).toEqual([])
    expect(readFileSync(file, 'utf8')).toBe(after)
    expect(readdirSync(dirname(file)).filter((name) => name.endsWith('.new'))).toEqual([])
    if (status === 0) break
    expect(signal, stderr).toBe('SIGKILL')
  }
  expect(outcomes.at(0)).toBe('before')
  expect(outcomes.at(-1)).toBe('after')
  expect(outcomes.length).toBeGreaterThan(8)
  expect(outcomes.length).toBeLessThan(MOST_STEPS)
}, 120_000)

test('a full disk keeps the record that was there, also where a part of the new one has room', ({ skip }) => {
  const repository = smallDisk('1m')
  if (repository === undefined) {
    skip('mounting a small file system is not permitted here')
    return
  }
  const config = configOf(repository)
  const file = join(repository, REMEMBERED_STORES_FILE_NAME)
  writeKeptFile(join(repository, 'me-requester', 'jobs.db'), 'store')
  writeKeptFile(join(repository, 'me-compute', 'executions.db'), 'store')
  const remember = (incarnation: string, sequence: number) =>
    rememberStores({ config, nodeId: 'me', opened: opened(incarnation, sequence), nowMs: sequence })
  remember('i-1', 10)
  const before = readFileSync(file, 'utf8')
  writeFileSync(join(repository, 'page'), Buffer.alloc(4_096))
  const filler = join(repository, 'filler')
  fillDisk(filler)
  expect(() => remember('i-2', 20)).toThrow(/ENOSPC/)
  rmSync(join(repository, 'page'))
  // A page is free, and this is more.
  expect(() => writeKeptFile(file, before.padEnd(20_000))).toThrow(/ENOSPC/)
  expect(readFileSync(file, 'utf8')).toBe(before)
  const identity = { storeId: 'store-1', incarnations: ['i-1', 'i-2'], sequence: 20 }
  expect(strangeStores({ config, nodeId: 'me', identities: { requester: identity } })).toEqual([])
  expect(findStores({ config, nodeId: 'me' }).map(formatFinding)).toEqual([])
  rmSync(filler)
  expect(remember('i-2', 20)).toEqual([])
  expect(readFileSync(file, 'utf8')).toContain('"i-2"')
})
