import assert from 'node:assert/strict'

import { test } from 'vitest'

import type { KvTransaction } from '../../src/kv/contract.ts'
import { tuple } from '../../src/kv/tuple.ts'
import { HotTable } from '../../src/rows/hot-table.ts'
import { RecordTable } from '../../src/rows/record-table.ts'

type Pair = readonly [number, number]

/** Returns a table, its plain twin, and how to encode a record with it. */
function makeTable() {
  const hot = new HotTable<Pair>('counters', 1, ([a, b]) => `[${a},${b}]`)
  const plain = new RecordTable<Pair>('counters', 1)
  const encode = (table: RecordTable<Pair>, key: Uint8Array, record: Pair): Uint8Array => {
    const written: Uint8Array[] = []
    const put: KvTransaction['put'] = (_table, _key, value) => void written.push(Buffer.from(value))
    table.put({ put } as KvTransaction, key, record)
    return written[0] as Uint8Array
  }
  return { hot, plain, encode }
}

test('it writes what a record table writes, and reads it back, remembered or not', () => {
  const { hot, plain, encode } = makeTable()
  const rows = Array.from({ length: 40 }, (_, n) => ({
    key: tuple('job', n),
    record: [n, n * 1_000] as const,
  }))
  const written = rows.map(({ key, record }) => encode(hot, key, record))
  for (const [n, { key, record }] of rows.entries()) {
    assert.deepEqual(written[n], encode(plain, key, record))
    assert.deepEqual(hot.decode(key, written[n] as Uint8Array), record)
  }
})

test('a changed byte of a remembered row is noticed, and so is its value under another key', () => {
  const { hot, encode } = makeTable()
  const key = tuple('job', 'default', 'Pending')
  const bytes = encode(hot, key, [7, 700])
  assert.deepEqual(hot.decode(key, bytes), [7, 700])
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] as number) ^ 1
    assert.throws(() => hot.decode(key, changed), { code: 'RECORD_CORRUPT' })
  }
  assert.throws(() => hot.decode(tuple('job', 'default', 'Running'), bytes), { code: 'RECORD_CORRUPT' })
})
