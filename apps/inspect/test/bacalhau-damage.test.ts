import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import {
  completedJob,
  executionRecord,
  executionStoreBytes,
  historyRecord,
  type JobToWrite,
  jobRecord,
  jobStoreBytes,
} from '../../../test/bacalhau-writer.ts'
import { damagedBolts } from '../../../test/damaged-bolt.ts'
import { ProgramSession } from '../../../test/program-session.ts'
import { IS_LONG, testSeed } from '../../../test/seed.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'

vi.setConfig({ testTimeout: 3_600_000 })

const PAGE = 4096
const FILES = IS_LONG ? 520 : 13
const SEED = testSeed()

const session = new ProgramSession(new URL('../dist/cli/run.js', import.meta.url))
afterAll(() => session.close())

const COMMANDS: readonly (readonly string[])[] = [
  ['summary'],
  ['counts'],
  ['jobs', '--all', '--output', 'json'],
  ['executions', '--all'],
  ['evaluations'],
  ['job', 'j-00000007', '--output', 'json'],
  ['history', 'j-00000007'],
  ['why', 'e-00000007'],
  ['export'],
]

test(`commands that show records say of ${FILES} damaged files what they could not read, from seed ${SEED} on`, async () => {
  const ids = Array.from({ length: 30 }, (_, index) => `j-${String(index).padStart(8, '0')}`)
  const sound = jobStoreBytes(Object.fromEntries(ids.map((id) => [id, completedJob(id)])))
  const path = join(temporaryDirectory(), 'state_boltdb.db')
  for (const { kind, seed, bytes } of damagedBolts(sound, PAGE, { seed: SEED, count: FILES })) {
    writeFileSync(path, bytes)
    for (const [command = '', ...rest] of COMMANDS) {
      const { code, stdout, stderr } = await session.run([command, path, ...rest])
      const what = `${kind}, seed ${seed}: ${command} ${rest.join(' ')}\n${stderr}`
      expect([0, 1, 2, 3], what).toContain(code)
      expect(`${stdout}\n${stderr}`, what).not.toMatch(/undefined|NaN|TypeError|RangeError|\n {4}at /)
      if (code > 1) expect(stderr, what).toMatch(/^Error: .*\nHint: /m)
      expect(stdout.length, what).toBeLessThan(100 * bytes.length + 100_000)
      // What a listing lacks is named.
      const isWhole =
        command !== 'jobs' || code !== 0 || (JSON.parse(stdout) as unknown[]).length === ids.length
      if (!isWhole) expect(stderr, what).toMatch(/^Warning: left-out/m)
    }
  }
})

test('whichever page is lost, all that others hold is shown and exported, and what is missing is named', async () => {
  const ids = Array.from({ length: 4 }, (_, index) => `j-${String(index).padStart(8, '0')}`)
  const job = (id: string): JobToWrite => {
    const own = Array.from({ length: 30 }, (_, index) => `e-${id.slice(-1)}${String(index).padStart(7, '0')}`)
    const executions = Object.fromEntries(own.map((one) => [one, executionRecord(one, id)]))
    const history = own.map((executionId) => historyRecord(id, 'Running', { executionId }))
    return { ...completedJob(id), executions, history }
  }
  const histories = Object.fromEntries(ids.map((id) => [id, [{ Message: 'x'.repeat(3_000) }]]))
  const files = {
    'orchestrator/state_boltdb.db': jobStoreBytes(Object.fromEntries(ids.map((id) => [id, job(id)]))),
    'compute/state_boltdb.db': executionStoreBytes(
      Object.fromEntries(ids.map((id) => [id, executionRecord(id, 'j-1', { Job: jobRecord('j-1') })])),
      histories,
    ),
  }
  let shown = 0
  for (const [name, sound] of Object.entries(files)) {
    const directory = temporaryDirectory()
    const path = join(directory, name)
    mkdirSync(dirname(path), { recursive: true })
    const root = Number(sound.readBigUInt64LE(16 + 16))
    const pages = Array.from({ length: sound.length / PAGE - 2 }, (_, index) => index + 2)
    const ofJobs = pages.filter((page) => sound.subarray(page * PAGE, (page + 1) * PAGE).includes('versions'))
    for (const page of pages) {
      // The page of a job itself is one of few.
      if (page === root || !(IS_LONG || page % 7 === 0 || page === ofJobs[0])) continue
      writeFileSync(path, Buffer.from(sound).fill(0, page * PAGE, (page + 1) * PAGE))
      const commands = [
        ['summary'],
        ['executions', '--all'],
        ['execution', 'e-30000007'],
        ...(name.startsWith('orch')
          ? [
              ['jobs', '--all'],
              ['job', ids[2] ?? ''],
              ['why', ids[3] ?? ''],
            ]
          : []),
      ]
      for (const [verb = '', ...args] of commands) {
        const { code, stderr } = await session.run([verb, directory, ...args])
        const what = `${name}, page ${page}: ${verb} ${args.join(' ')}\n${stderr}`
        // Only a record that the page held is not there.
        expect([0, 1], what).toContain(code)
        if (code === 1) expect(stderr, what).toMatch(/there is no .*|^Warning: left-out/m)
      }
      if (!name.startsWith('orch')) continue
      const exported = await session.run(['export', directory])
      expect([0, 1], `page ${page}: ${exported.stderr}`).toContain(exported.code)
      const lines = exported.stdout.split('\n').filter((line) => line !== '')
      const whole = lines.filter((line) => line.split('"NodeID":"porto"').length > 30).length
      if (whole < ids.length) expect(exported.stderr, `page ${page}`).toMatch(/^Warning: left-out/m)
      shown += whole
    }
  }
  expect(shown).toBeGreaterThan(ids.length)
})
