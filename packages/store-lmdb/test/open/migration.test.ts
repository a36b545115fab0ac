import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { openJobStore, STORE_TABLES } from '@saltcod/store-core/backend'
import {
  decodeRecord,
  encodeRecord,
  REBUILT_TABLES,
  rebuildStore,
  SCHEMA_VERSION,
  type StoreRow,
  tuple,
} from '@saltcod/store-core/format'
import { expect, test } from 'vitest'
import { IS_LONG } from '../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { openLmdbExecutionStore, openLmdbJobStore, openLmdbKv } from '../../src/index.ts'

const FIXTURES = fileURLToPath(new URL('../../../../test/fixtures', import.meta.url))
const MIGRATING = fileURLToPath(new URL('./migrating-process.mjs', import.meta.url))
const MOST_WRITES = 50
/** A short run takes every ninth write. */
const [FIRST, STEP] = IS_LONG ? [1, 1] : [1, 9]

/** A store as a release with an earlier schema left it. */
function earlier(schema: number, name: 'jobs.db' | 'executions.db'): string {
  const path = join(temporaryDirectory(), name)
  const bytes = gunzipSync(readFileSync(join(FIXTURES, `schema-${schema}`, `${name}.gz`)))
  writeFileSync(path, bytes, { mode: 0o600 })
  return path
}

function copiesBeside(path: string): string[] {
  return readdirSync(dirname(path)).filter((name) => name.includes('.schema-'))
}

test.each([1])('a reader reads a job store of schema %i as it is', async (schema) => {
  const path = earlier(schema, 'jobs.db')
  const before = readFileSync(path)
  const store = await openLmdbJobStore({ path, readOnly: true })
  expect((await store.info()).schemaVersion).toBe(schema)
  expect((await store.listJobs({ limit: 100 })).items.length).toBe(21)
  expect((await store.listHistory({ jobId: 'j-finished-3' })).items.length).toBeGreaterThan(3)
  const { findings, strandedJobIds } = await store.check()
  expect(findings).toEqual([])
  expect(strandedJobIds).toEqual(['j-stranded-0', 'j-stranded-1'])
  await store.close()
  expect(readFileSync(path).equals(before)).toBe(true)
  expect(copiesBeside(path)).toEqual([])
})

test.each([1])(
  'an owner backs a job store of schema %i up, migrates it, says so, and goes on',
  async (schema) => {
    const path = earlier(schema, 'jobs.db')
    const notices: string[] = []
    const store = await openLmdbJobStore({
      path,
      onNotice: ({ code, message }) => notices.push(`${code} ${message}`),
    })
    const [copy, ...more] = copiesBeside(path)
    expect(more).toEqual([])
    expect(notices.at(-1)).toMatch(
      /^MIGRATED The store .* was of schema 1 and is of schema 3 now; a copy from before is .*jobs\.db\.schema-1-\d+\.$/,
    )
    expect((await store.info()).schemaVersion).toBe(SCHEMA_VERSION)
    expect(await store.check()).toMatchObject({ findings: [], strandedJobIds: [] })
    for (const id of ['j-stranded-0', 'j-stranded-1']) {
      expect(await store.getJob(id)).toMatchObject({
        state: 'Failed',
        stateMessage: 'given up: no node would do it',
      })
    }
    expect((await store.getJob('j-watched'))?.state).toBe('Pending')
    expect((await store.getJob('j-finished-0'))?.hold).toBe('audit')
    const claim = await store.claimEvaluation({ holder: 'w', leaseMs: 1_000 })
    expect(claim?.evaluation).toMatchObject({ attempt: 1, lostLeases: 0 })
    // The two that were out before are no suspects: schema 1 left leases behind in good order too.
    expect(await store.claimEvaluation({ holder: 'w', leaseMs: 1_000 })).not.toBeNull()
    await store.close()

    const kept = join(dirname(path), copy ?? '')
    expect(statSync(kept).mode & 0o777).toBe(0o600)
    const before = await openLmdbJobStore({ path: kept, readOnly: true })
    expect((await before.info()).schemaVersion).toBe(schema)
    expect((await before.getJob('j-stranded-0'))?.state).toBe('Pending')
    await before.close()

    const again = await openLmdbJobStore({ path, onNotice: ({ code }) => notices.push(code) })
    expect(notices).toHaveLength(1)
    await again.close()
  },
)

test.each([1])('an execution store of schema %i is migrated too', async (schema) => {
  const path = earlier(schema, 'executions.db')
  const notices: string[] = []
  const store = await openLmdbExecutionStore({ path, onNotice: ({ code }) => notices.push(code) })
  expect(notices).toEqual(['MIGRATED'])
  expect((await store.info()).schemaVersion).toBe(SCHEMA_VERSION)
  expect((await store.check()).findings).toEqual([])
  expect((await store.getExecution('e-finished-0'))?.state).toBe('Completed')
  await store.close()
})

test.each([1])('what is rebuilt of a store of schema %i is of the schema of today', async (schema) => {
  const source = await openLmdbKv({ path: earlier(schema, 'jobs.db'), tables: STORE_TABLES, readOnly: true })
  const target = await openLmdbKv({ path: join(temporaryDirectory(), 'jobs.db'), tables: STORE_TABLES })
  for (const table of STORE_TABLES.filter((name) => !(REBUILT_TABLES as readonly string[]).includes(name))) {
    const rows = source.read((snapshot) => snapshot.range(table, { limit: 10_000 }))
    await target.write((made) => {
      for (const { key, value } of rows) made.put(table, key, value)
    })
  }
  await source.close()
  await rebuildStore(target, { kind: 'jobs', nowMs: Date.now(), onDrop: ({ reason }) => expect.fail(reason) })
  const store = await openJobStore(target, { clock: Date.now })
  expect(copiesBeside(target.location)).toEqual([])
  expect((await store.info()).schemaVersion).toBe(SCHEMA_VERSION)
  expect((await store.getJob('j-stranded-0'))?.state).toBe('Failed')
  expect(await store.check()).toMatchObject({ findings: [], strandedJobIds: [] })
  await store.close()
})

test('the other sides of the link that a job store of schema 2 knew are its approved nodes', async () => {
  const path = earlier(2, 'jobs.db')
  const kv = await openLmdbKv({ path, tables: STORE_TABLES })
  await kv.write((rows) => {
    for (const name of ['n-fixture', 'a name that no node has']) {
      const key = tuple('peer', name)
      rows.put(
        'meta',
        key,
        encodeRecord('meta', key, 1, { s: 'store-1', i: 'opening-1', first: 3, n: 9, at: 7 }),
      )
    }
  })
  await kv.close()
  const reader = await openLmdbJobStore({ path, readOnly: true })
  const peer = await reader.getPeer('n-fixture')
  expect(peer).not.toBeNull()
  expect((await reader.listNodes()).items).toEqual([])
  await reader.close()
  const store = await openLmdbJobStore({ path })
  const { seenAtMs, ...known } = peer ?? expect.fail('no peer')
  expect(await store.listNodes()).toMatchObject({
    items: [
      {
        id: 'n-fixture',
        membership: 'approved',
        scheduling: 'on',
        store: known,
        firstSeenAtMs: seenAtMs,
        lastSeenAtMs: seenAtMs,
        revision: 1,
      },
    ],
  })
  expect(await store.getPeer('n-fixture')).toBeNull()
  expect((await store.check()).findings).toEqual([])
  await store.close()
})

test('a copy that was cut short goes with the next opening', async () => {
  const path = earlier(1, 'jobs.db')
  writeFileSync(`${path}.schema-1-7.new-0123456789ab`, 'half')
  await (await openLmdbJobStore({ path })).close()
  expect(copiesBeside(path).filter((name) => name.includes('.new-'))).toEqual([])
})

test('a migration that is killed before or after any of its writes is finished by the next opening', {
  timeout: 120_000,
}, async () => {
  for (const when of ['before', 'after']) {
    let killed = true
    for (let number = FIRST; killed; number += STEP) {
      expect(number).toBeLessThan(MOST_WRITES)
      const path = earlier(1, 'jobs.db')
      const { signal, status } = spawnSync(process.execPath, [MIGRATING, path, String(number), when])
      killed = signal === 'SIGKILL'
      expect(killed || status === 0).toBe(true)
      const store = await openLmdbJobStore({ path })
      expect((await store.info()).schemaVersion).toBe(SCHEMA_VERSION)
      expect((await store.getJob('j-stranded-1'))?.state).toBe('Failed')
      expect((await store.check()).findings, `killed ${when} write ${number}`).toEqual([])
      await store.close()
      expect(copiesBeside(path).length).toBeGreaterThan(0)
    }
  }
})

test.each(['jobs.db', 'executions.db'] as const)(
  'a store of a newer release (%s) is refused by name, for reading and for writing, and stays as it is',
  async (name) => {
    const path = earlier(1, name)
    const kv = await openLmdbKv({ path, tables: STORE_TABLES })
    await kv.write((transaction) => {
      const key = tuple('store')
      const row = decodeRecord<StoreRow>('meta', key, transaction.get('meta', key) ?? Buffer.alloc(0))
      transaction.put('meta', key, encodeRecord('meta', key, 1, { ...row, schema: SCHEMA_VERSION + 1 }))
    })
    await kv.close()
    const before = readFileSync(path)
    const open = name === 'jobs.db' ? openLmdbJobStore : openLmdbExecutionStore
    for (const readOnly of [true, false]) {
      await expect(open({ path, readOnly })).rejects.toMatchObject({
        code: 'SCHEMA_TOO_NEW',
        message: expect.stringContaining(`has schema ${SCHEMA_VERSION + 1}`),
        hint: 'use the newer release that wrote it',
      })
    }
    expect(copiesBeside(path)).toEqual([])
    expect(readFileSync(path).equals(before)).toBe(true)
  },
)
