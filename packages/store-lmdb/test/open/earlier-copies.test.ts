import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { SCHEMA_VERSION } from '@saltcod/store-core/format'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'

import { openLmdbExecutionStore, openLmdbJobStore } from '../../src/index.ts'

const FIXTURES = fileURLToPath(new URL('../../../../test/fixtures', import.meta.url))
const CASES = [
  [1, 'jobs.db', 21],
  [1, 'executions.db', 8],
] as const
type Name = (typeof CASES)[number][1]

/** Checks a store as it is, then as its owner, whose opening migrates it. */
async function expectSound(path: string, name: Name, schema: number, records: number): Promise<void> {
  const open = name === 'jobs.db' ? openLmdbJobStore : openLmdbExecutionStore
  for (const readOnly of [true, false]) {
    const store = await open({ path, readOnly })
    expect((await store.info()).schemaVersion).toBe(readOnly ? schema : SCHEMA_VERSION)
    expect((await store.check()).findings, path).toEqual([])
    const kind = name === 'jobs.db' ? 'job' : 'execution'
    const counts = await store.counts({ kind })
    expect(counts.reduce((sum, count) => sum + count.records, 0)).toBe(records)
    await store.close()
  }
}

test.each(CASES)(
  'a backup, a copy and a restore of a store of schema %i (%s) are whole, and so is the way back',
  async (schema, name, records) => {
    const directory = temporaryDirectory()
    const at = (place: string): string => {
      mkdirSync(join(directory, place))
      return join(directory, place, name)
    }
    const path = at('original')
    writeFileSync(path, gunzipSync(readFileSync(join(FIXTURES, `schema-${schema}`, `${name}.gz`))))
    const [backup, plain, restored, late] = [at('backup'), at('plain'), at('restored'), at('late')]
    const open = name === 'jobs.db' ? openLmdbJobStore : openLmdbExecutionStore

    const reader = await open({ path, readOnly: true })
    await reader.capabilities.backup?.(backup)
    await reader.close()
    copyFileSync(path, plain)
    copyFileSync(backup, restored)
    for (const each of [backup, plain, restored]) await expectSound(each, name, schema, records)

    const owner = await open({ path })
    await owner.capabilities.backup?.(late)
    await owner.close()
    await expectSound(late, name, SCHEMA_VERSION, records)
    // The copy that a migration makes is the way back.
    const [kept = ''] = readdirSync(dirname(path)).filter((found) =>
      found.startsWith(`${basename(path)}.schema-`),
    )
    renameSync(join(dirname(path), kept), path)
    await expectSound(path, name, schema, records)
  },
)
