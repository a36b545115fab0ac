import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { randomBelow } from '../../../test/random-numbers.ts'
import { IS_LONG, testSeed } from '../../../test/seed.ts'
import { type Fixture, inspect, inspectJson, makeFixture } from './fixture.ts'
import { writeFullJobStore } from './full-store.ts'
import { startWriter } from './writing-process.ts'

// Each run of the program is a process of its own, and a busy machine has little time for it.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 })

const KILLS = IS_LONG ? 100 : 4
/** Kills before the node stops and starts again. */
const KILLS_PER_START = 4
const MAX_LIFE_MS = 1_200
const SEED = testSeed()
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

const COMMANDS: readonly (readonly string[])[] = [
  ['dump', 'jobs.db', '--all', '--output', 'ndjson'],
  ['check', 'jobs.db'],
  ['changes', 'jobs.db', '--follow', '--since', '1d', '--output', 'ndjson'],
  ['jobs', 'jobs.db', '--all'],
  ['summary', 'jobs.db'],
  ['du', 'jobs.db', '--age'],
  ['export', 'jobs.db'],
]

let fixture: Fixture

beforeAll(async () => {
  fixture = await makeFixture()
  rmSync(fixture.jobs)
  await writeFullJobStore(fixture.jobs)
})

afterAll(() => fixture.remove())

/** Runs a command in a group of processes of its own and kills them all after a time. */
async function killAfter(command: readonly string[], lifeMs: number): Promise<void> {
  const child = spawn(process.execPath, [main, ...command], {
    cwd: fixture.directory,
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true,
  })
  const { pid } = child
  if (pid === undefined) throw new Error('no process could be started')
  const ended = once(child, 'close')
  await setTimeout(lifeMs)
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // It may have come to its own end.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
  await ended
}

test(`neither ${KILLS} kills of an inspector nor a start beside one hurt a store (seed ${SEED})`, async () => {
  const below = randomBelow(SEED)
  const jobs = (): number => inspectJson<unknown[]>(fixture.directory, 'jobs', 'jobs.db', '--all').length
  let expected = jobs()
  for (let kills = 0; kills < KILLS; ) {
    // The first reads while the node starts.
    const early = killAfter(COMMANDS[below(COMMANDS.length)] ?? [], below(MAX_LIFE_MS))
    const writer = await startWriter(join(fixture.directory, 'jobs.db'), 'busy', kills)
    await early
    for (let kill = 1; kill < KILLS_PER_START; kill += 1) {
      await killAfter(COMMANDS[below(COMMANDS.length)] ?? [], below(MAX_LIFE_MS))
    }
    kills += KILLS_PER_START
    expected += await writer.stop()
  }
  expect(jobs()).toBe(expected)
  expect(inspect(fixture.directory, 'check', 'jobs.db')).toMatchObject({ status: 0, stderr: '' })
})
