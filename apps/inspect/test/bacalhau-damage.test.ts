import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { completedJob, jobStoreBytes } from '../../../test/bacalhau-writer.ts'
import { damagedBolts } from '../../../test/damaged-bolt.ts'
import { ProgramSession } from '../../../test/program-session.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'

const LONG = process.env['SALTCOD_LONG'] !== undefined
vi.setConfig({ testTimeout: 3_600_000 })

const PAGE = 4096
const FILES = LONG ? 520 : 13
const SEED = LONG ? Math.floor(Math.random() * 2 ** 31) : 1

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
