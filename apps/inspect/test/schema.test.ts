import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { STORE_TABLES } from '@saltcod/store-core/backend'
import { decodeRecord, encodeRecord, SCHEMA_VERSION, type StoreRow, tuple } from '@saltcod/store-core/format'
import { openLmdbExecutionStore, openLmdbJobStore, openLmdbKv } from '@saltcod/store-lmdb'
import { afterAll, expect, test } from 'vitest'
import { ProgramSession } from '../../../test/program-session.ts'
import { IS_LONG } from '../../../test/seed.ts'
import { sharedDirectory } from '../../../test/temporary-directory.ts'

const FIXTURES = fileURLToPath(new URL('../../../test/fixtures', import.meta.url))
const session = new ProgramSession(new URL('../dist/cli/run.js', import.meta.url))
const directory = sharedDirectory()

afterAll(() => session.close())

/** The stores that a release with a schema left, those of a node's repository too, in a directory of their own. */
function storesOf(schema: number): string[] {
  const made = mkdtempSync(join(directory, `schema-${schema}-`))
  for (const name of ['jobs.db', 'executions.db']) {
    const bytes = gunzipSync(readFileSync(join(FIXTURES, `schema-${schema}`, `${name}.gz`)))
    writeFileSync(join(made, name), bytes, { mode: 0o600 })
  }
  execFileSync('tar', ['-xzf', join(FIXTURES, `schema-${schema}`, 'repository.tar.gz'), '-C', made])
  const files = readdirSync(made, { recursive: true, encoding: 'utf8' }).sort()
  return files.filter((name) => name.endsWith('.db')).map((name) => join(made, name))
}

async function said(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await session.run(args, { cwd: directory })
  expect({ args, code, stderr }).toMatchObject({ code: 0 })
  return stdout + stderr
}

/** Opens a store for writing, which migrates it, and returns the rules that it breaks. */
async function findingsOf(path: string): Promise<unknown> {
  const open = path.includes('jobs') ? openLmdbJobStore : openLmdbExecutionStore
  const store = await open({ path })
  const { findings } = await store.check()
  await store.close()
  return findings
}

test.each([1])(
  'a store of schema %i is read as it is, and jobs that nothing moves are named',
  async (schema) => {
    const [, path = ''] = storesOf(schema)
    const before = readFileSync(path)
    expect(await said('info', path)).toContain(`schema ${schema}`)
    expect(await said('check', path)).toContain('2 jobs that nothing will move')
    expect(await said('summary', path)).toContain('nothing will move job stranded-0')
    expect(await said('why', path, 'stranded-0')).toContain('its last evaluation failed: no node would do it')
    expect(await said('repair', path, `${path}.repaired`)).toContain('sound')
    expect(await said('info', `${path}.repaired`)).toContain(`schema ${SCHEMA_VERSION}`)
    expect(readFileSync(path).equals(before)).toBe(true)
  },
)

test.each([1])(
  'whatever is made of a store of schema %i is sound, loses nothing, and goes on',
  async (schema) => {
    const paths = storesOf(schema)
    expect(paths).toHaveLength(4)
    // A store of each kind has what the other one of its kind has too.
    for (const path of IS_LONG ? paths : paths.slice(0, 2)) {
      const copy = (name: string) => `${path}.${name}`
      copyFileSync(path, copy('copied'))
      await said('backup', path, copy('backed-up'))
      await said('restore', copy('backed-up'), copy('restored'))
      await said('restore', path, copy('restored-itself'))
      await said('compact', path, copy('compacted'))
      for (const name of ['copied', 'backed-up', 'restored', 'restored-itself', 'compacted']) {
        expect(await said('check', copy(name))).toContain('sound')
      }
      expect(await said('diff', path, copy('restored'))).toContain('no differences')
      expect(await said('salvage', path, copy('salvaged'))).not.toMatch(/were counted|left out/)
      await said('repair', path, copy('repaired'))
      for (const name of ['copied', 'backed-up', 'restored', 'salvaged', 'repaired']) {
        expect(await findingsOf(copy(name)), name).toEqual([])
      }
    }
  },
  120_000,
)

test('a store of a newer release is refused by every command that would read its rows, and nothing is made', async () => {
  const [, path = ''] = storesOf(1)
  await setSchema(path, 99)
  const before = readFileSync(path)
  const commands = [
    ['info', path],
    ['check', path],
    ['summary', path],
    ['jobs', path],
    ['keys', path, 'jobs'],
    ['export', path],
    ...['backup', 'restore', 'salvage', 'repair', 'compact'].map((verb) => [verb, path, `${path}.${verb}`]),
  ]
  for (const args of commands) {
    const { code, stdout, stderr } = await session.run(args, { cwd: directory })
    const words = `has schema 99, this release reads up to ${SCHEMA_VERSION}`
    expect({ args, code, said: stdout + stderr }).toMatchObject({
      code: 3,
      said: expect.stringContaining(words),
    })
    expect(stdout + stderr).toContain('use the inspector of the newer release')
  }
  const beside = readdirSync(dirname(path)).filter((name) => name.startsWith(`${basename(path)}.`))
  expect(beside.filter((name) => !name.endsWith('.owner'))).toEqual([])
  expect(readFileSync(path).equals(before)).toBe(true)
})

/** Makes a store say that it is of another schema. */
async function setSchema(path: string, schema: number): Promise<void> {
  const kv = await openLmdbKv({ path, tables: STORE_TABLES })
  await kv.write((transaction) => {
    const key = tuple('store')
    const value = transaction.get('meta', key)
    const row = decodeRecord<StoreRow>('meta', key, value ?? Buffer.alloc(0))
    transaction.put('meta', key, encodeRecord('meta', key, 1, { ...row, schema }))
  })
  await kv.close()
}
