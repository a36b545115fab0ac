import assert from 'node:assert/strict'

import { isStoreError } from '@saltcod/store-core'
import { KV_SUITE_TABLES, kvSuite } from '@saltcod/store-testing'
import { describe, test } from 'vitest'
import { testSeed } from '../../../test/seed.ts'
import { openMemoryKv } from '../src/index.ts'

kvSuite({
  name: 'memory',
  runner: { describe, test },
  seed: testSeed(),
  open: async () => ({ kv: openMemoryKv({ tables: KV_SUITE_TABLES }), dispose: async () => undefined }),
})

const key = Uint8Array.of(1)

test('it says that nothing is durable', async () => {
  const kv = openMemoryKv({ tables: ['a'] })
  assert.deepEqual([kv.backend, kv.location, kv.readOnly], ['memory', 'memory', false])
  assert.deepEqual(Object.keys(kv.capabilities), ['durable', 'statistics'])
  assert.equal(kv.capabilities.durable, false)
  await kv.close()
})

test('two stores share nothing', async () => {
  const [one, other] = [openMemoryKv({ tables: ['a'] }), openMemoryKv({ tables: ['a'] })]
  await one.write((tx) => {
    tx.put('a', key, key)
  })
  assert.equal(
    other.read((snapshot) => snapshot.get('a', key)),
    undefined,
  )
  await other.close()
  assert.deepEqual(
    one.read((snapshot) => snapshot.get('a', key)),
    key,
  )
  await one.close()
})

test('a write is not done in the turn of its call', async () => {
  const kv = openMemoryKv({ tables: ['a'] })
  const written = kv.write((tx) => {
    tx.put('a', key, key)
  })
  await Promise.resolve()
  assert.equal(
    kv.read((snapshot) => snapshot.get('a', key)),
    undefined,
  )
  await written
  await kv.close()
})

test('statistics are the bytes of keys and values, and cannot be asked for inside a write body', async () => {
  const kv = openMemoryKv({ tables: ['a', 'b'] })
  await kv.write((tx) => {
    tx.put('a', Uint8Array.of(1, 2), new Uint8Array(10))
  })
  assert.deepEqual(kv.capabilities.statistics?.(), {
    tables: [
      { table: 'a', rows: 1, usedBytes: 12 },
      { table: 'b', rows: 0, usedBytes: 0 },
    ],
    usedBytes: 12,
    freeBytes: 0,
    fileBytes: 0,
  })
  await assert.rejects(
    kv.write(() => kv.capabilities.statistics?.()),
    TypeError,
  )
  await kv.close()
})

test('a refusal says what was wrong and what to do', async () => {
  const kv = openMemoryKv({ tables: ['a', 'b'] })
  assert.throws(() => kv.read((snapshot) => snapshot.get('c', key)), {
    message: 'There is no table "c"; the store was opened with a, b.',
  })
  await kv.close()
  await assert.rejects(
    kv.write(() => undefined),
    (error) => isStoreError(error, 'STORE_CLOSED') && error.hint === 'open it again',
  )
})
