import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { preloadLibrary } from '@saltcod/store-testing/crash'
import { expect, test } from 'vitest'
import { randomBelow } from '../../../../test/random-numbers.ts'
import { IS_LONG, testSeed } from '../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { openLmdbKv } from '../../src/index.ts'

const RUNS = 6
const AT_A_TIME = 3
const SCRIPT = fileURLToPath(new URL('./openings-process.mjs', import.meta.url))
const { EMFILE, ENOSPC, EIO } = constants.errno

/** One opening that fails, or all from that one on. */
interface Fault {
  readonly at: number
  readonly error: number
  readonly once: boolean
}

function run(
  library: string,
  directory: string,
  settings: Readonly<Record<string, string>>,
): Promise<string[]> {
  const child = spawn(process.execPath, [SCRIPT, join(directory, 'jobs.db')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, LD_PRELOAD: library, FAILING_OPEN_UNDER: directory, ...settings },
  })
  let said = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (text: string) => {
    said += text
  })
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      resolve([...said.trim().split('\n'), signal ?? `exit ${code}`])
    })
  })
}

/** Every fault, or some at random. */
function faults(openings: number): Fault[] {
  const all = [EMFILE, ENOSPC, EIO].flatMap((error) =>
    [true, false].flatMap((once) =>
      Array.from({ length: openings }, (_, index) => ({ at: index + 1, error, once })),
    ),
  )
  const below = randomBelow(testSeed())
  return IS_LONG ? all : Array.from({ length: RUNS }, () => all.splice(below(all.length), 1)).flat()
}

async function survive(library: string, parent: string, fault: Fault): Promise<void> {
  const directory = join(parent, `${fault.at}-${fault.error}-${fault.once}`)
  mkdirSync(directory)
  const lines = await run(library, directory, {
    FAILING_OPEN_AT: String(fault.at),
    FAILING_OPEN_ERROR: String(fault.error),
    ...(fault.once ? { FAILING_OPEN_ONCE: '1' } : {}),
  })
  const strange = lines.filter((line) => !/^kept|done$|StoreError (STORE_|REWRITE_STOPPED)/.test(line))
  expect({ fault, strange }).toEqual({ fault, strange: ['end', 'exit 0'] })
  const store = await openLmdbKv({ path: join(directory, 'jobs.db'), tables: ['alpha', 'beta'] })
  const there = store.read((snapshot) => snapshot.keys('alpha', { limit: 100 })).map(String)
  await store.close()
  const kept = lines.filter((line) => line.startsWith('kept')).map((line) => line.split(' ')[1])
  const left = readdirSync(directory).filter((name) => !/^jobs\.db(-lock|\.owner|\.copy-\d)?$/.test(name))
  const lost = kept.filter((id) => id !== undefined && !there.includes(id))
  expect({ fault, lost, left }).toEqual({ fault, lost: [], left: [] })
}

test('a file that cannot be opened is an error, and never the end of the process', {
  timeout: IS_LONG ? 1_800_000 : 60_000,
}, async ({ skip }) => {
  const library = preloadLibrary(new URL('./failing-open.c', import.meta.url), temporaryDirectory())
  if (library === undefined) {
    skip('there is no gcc to build the library that lets an opening fail')
    return
  }
  const parent = temporaryDirectory()
  const sound = join(parent, 'sound')
  mkdirSync(sound)
  const counts = join(parent, 'counts')
  const lines = await run(library, sound, { FAILING_OPEN_COUNTS: counts })
  expect(lines.filter((line) => line.includes('Error'))).toEqual([])
  const [openings = 0, native = 0] = readFileSync(counts, 'latin1').trim().split(' ').map(Number)
  // Each file that LMDB opened had been opened before, or the test would prove nothing.
  expect(native).toBeGreaterThan(20)
  expect(openings).toBeGreaterThan(native)
  const waiting = faults(openings)
  const worker = async (): Promise<void> => {
    for (let fault = waiting.pop(); fault !== undefined; fault = waiting.pop()) {
      await survive(library, parent, fault)
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, worker))
})
