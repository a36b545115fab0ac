import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { boltBytes } from '../../../test/bolt-writer.ts'
import { damagedBolts, rowsToDamage } from '../../../test/damaged-bolt.ts'
import { ProgramSession } from '../../../test/program-session.ts'
import { IS_LONG, testSeed } from '../../../test/seed.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'

const PAGE = 4096
const LONG_MS = 3_600_000
const FILES = IS_LONG ? 520 : 26
const SEED = testSeed()

const session = new ProgramSession(new URL('../dist/cli/run.js', import.meta.url))
afterAll(() => session.close())

/** Every command that a BoltDB file has, with what it may be asked for. */
const COMMANDS: readonly (readonly string[])[] = [
  ['info'],
  ['stats'],
  ['pages'],
  ['pages', '--output', 'json'],
  ['check'],
  ['check', '--output', 'json'],
  ['buckets'],
  ['buckets', 'nested'],
  ['keys', 'many'],
  ['keys', 'nested', 'tree', '--format', 'hex'],
  ['get', 'many', 'key-1007'],
  ['get', 'nested', 'inline', 'a'],
  ['get', 'long', 'one', '--format', 'redacted'],
  ['dump', '--all', '--output', 'ndjson'],
  ['dump', 'nested', '--all'],
  ['summary'],
  ['jobs'],
]

test(
  `every command says of ${FILES} damaged files what it could not read, from seed ${SEED} on`,
  async () => {
    const sound = boltBytes(rowsToDamage(), { pageBytes: PAGE, perPage: 6, free: 3 })
    const path = join(temporaryDirectory(), 'damaged.db')
    for (const { kind, seed, bytes } of damagedBolts(sound, PAGE, { seed: SEED, count: FILES })) {
      writeFileSync(path, bytes)
      for (const [command = '', ...rest] of COMMANDS) {
        const { code, stdout, stderr } = await session.run([command, path, ...rest])
        const what = `${kind}, seed ${seed}: ${command} ${rest.join(' ')}\n${stderr}`
        expect([0, 1, 2, 3], what).toContain(code)
        expect(`${stdout}\n${stderr}`, what).not.toMatch(/undefined|NaN|TypeError|RangeError|\n {4}at /)
        if (code > 1) expect(stderr, what).toMatch(/^Error: .*\nHint: /m)
        expect(stdout.length, what).toBeLessThan(100 * bytes.length + 100_000)
      }
    }
  },
  LONG_MS,
)
