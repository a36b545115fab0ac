import assert from 'node:assert/strict'

import { MAX_KEY_BYTES } from '@saltcod/store-core/backend'
import { allRows, bytes, filled, hex, readText, text, textOf } from './bytes.ts'
import { assertRejects, assertThrows } from './expectation.ts'
import { ALPHA, BETA, type KvCase } from './fixture.ts'

const EVERY_BYTE: readonly number[] = Array.from({ length: 256 }, (_, byte) => byte)

/** Cases about single keys: what goes in comes out, and nothing else does. */
export const pointCases: readonly KvCase[] = [
  {
    name: 'a key that is not there gives undefined, and removing it false',
    run: async ({ kv }) => {
      assert.equal(readText(kv, ALPHA, 'a'), undefined)
      assert.equal(await kv.write((tx) => tx.get(ALPHA, text('a'))), undefined)
      assert.equal(await kv.write((tx) => tx.remove(ALPHA, text('a'))), false)
    },
  },
  {
    name: 'a put is read back, a second put replaces it, a remove removes it',
    run: async ({ kv }) => {
      await kv.write((tx) => {
        tx.put(ALPHA, text('a'), text('one'))
      })
      assert.equal(readText(kv, ALPHA, 'a'), 'one')
      await kv.write((tx) => {
        tx.put(ALPHA, text('a'), text('two'))
      })
      assert.equal(readText(kv, ALPHA, 'a'), 'two')
      assert.equal(allRows(kv, ALPHA).length, 1)
      assert.equal(await kv.write((tx) => tx.remove(ALPHA, text('a'))), true)
      assert.equal(readText(kv, ALPHA, 'a'), undefined)
      assert.equal(await kv.write((tx) => tx.remove(ALPHA, text('a'))), false)
      assert.deepEqual(allRows(kv, ALPHA), [])
    },
  },
  {
    name: 'an empty value is a value',
    run: async ({ kv }) => {
      await kv.write((tx) => {
        tx.put(ALPHA, text('empty'), bytes())
      })
      assert.equal(readText(kv, ALPHA, 'empty'), '')
      assert.deepEqual(allRows(kv, ALPHA), [[hex(text('empty')), '']])
      assert.equal(await kv.write((tx) => tx.remove(ALPHA, text('empty'))), true)
    },
  },
  {
    name: 'every byte is a key, and every byte may stand in a value',
    run: async ({ kv }) => {
      await kv.write((tx) => {
        for (const byte of EVERY_BYTE) tx.put(ALPHA, bytes(byte), bytes(byte, 0, 255, ...EVERY_BYTE))
      })
      for (const byte of EVERY_BYTE) {
        const value = kv.read((snapshot) => snapshot.get(ALPHA, bytes(byte)))
        assert.equal(hex(value), hex(bytes(byte, 0, 255, ...EVERY_BYTE)), `value under byte ${byte}`)
      }
      assert.equal(allRows(kv, ALPHA).length, 256)
    },
  },
  {
    name: 'a key and what it starts with are different keys',
    run: async ({ kv }) => {
      const keys = [
        bytes(0),
        bytes(0, 0),
        bytes(0, 0, 0),
        bytes(97),
        bytes(97, 0),
        bytes(97, 0, 0),
        bytes(97, 98),
      ]
      await kv.write((tx) => {
        for (const [index, key] of keys.entries()) tx.put(ALPHA, key, bytes(index))
      })
      assert.deepEqual(
        allRows(kv, ALPHA),
        keys.map((key, index) => [hex(key), hex(bytes(index))]),
      )
      await kv.write((tx) => {
        tx.remove(ALPHA, bytes(97, 0))
      })
      assert.equal(allRows(kv, ALPHA).length, keys.length - 1)
    },
  },
  {
    name: `keys of ${MAX_KEY_BYTES} bytes are told apart by their last byte`,
    run: async ({ kv }) => {
      const low = filled(MAX_KEY_BYTES, 255)
      low[MAX_KEY_BYTES - 1] = 0
      const high = filled(MAX_KEY_BYTES, 255)
      await kv.write((tx) => {
        tx.put(ALPHA, high, text('high'))
        tx.put(ALPHA, low, text('low'))
      })
      const rows = kv.read((snapshot) => snapshot.range(ALPHA, { limit: 3 }))
      assert.deepEqual(
        rows.map(({ value }) => textOf(value)),
        ['low', 'high'],
      )
      assert.equal(hex(rows[0]?.key), hex(low))
      assert.equal(textOf(kv.read((snapshot) => snapshot.get(ALPHA, high))), 'high')
    },
  },
  {
    name: 'a value of a megabyte comes back whole',
    run: async ({ kv }) => {
      const value = Uint8Array.from({ length: 1024 * 1024 }, (_, index) => (index * 31) & 255)
      await kv.write((tx) => {
        tx.put(ALPHA, text('large'), value)
      })
      const back = kv.read((snapshot) => snapshot.get(ALPHA, text('large')))
      assert.ok(back !== undefined && Buffer.from(back).equals(value))
    },
  },
  {
    name: 'tables know nothing of each other',
    run: async ({ kv }) => {
      await kv.write((tx) => {
        tx.put(ALPHA, text('a'), text('alpha'))
        tx.put(BETA, text('a'), text('beta'))
        tx.put(BETA, text('b'), text('beta'))
      })
      await kv.write((tx) => {
        tx.remove(BETA, text('a'))
      })
      assert.equal(readText(kv, ALPHA, 'a'), 'alpha')
      assert.equal(readText(kv, ALPHA, 'b'), undefined)
      assert.equal(readText(kv, BETA, 'a'), undefined)
      assert.equal(readText(kv, BETA, 'b'), 'beta')
    },
  },
  {
    name: 'buffers and views into larger memory are taken as their own bytes',
    run: async ({ kv }) => {
      const memory = Buffer.from('..key..value..')
      await kv.write((tx) => {
        tx.put(ALPHA, memory.subarray(2, 5), new Uint8Array(memory.buffer, memory.byteOffset + 7, 5))
      })
      assert.equal(readText(kv, ALPHA, 'key'), 'value')
      assert.equal(textOf(kv.read((snapshot) => snapshot.get(ALPHA, memory.subarray(2, 5)))), 'value')
    },
  },
  {
    name: 'memory that was passed in may be changed after the body',
    run: async ({ kv }) => {
      const key = text('key')
      const value = text('value')
      await kv.write((tx) => {
        tx.put(ALPHA, key, value)
      })
      key.fill(1)
      value.fill(1)
      assert.deepEqual(allRows(kv, ALPHA), [[hex(text('key')), hex(text('value'))]])
    },
  },
  {
    name: 'memory that was handed out may be changed',
    run: async ({ kv }) => {
      const scribble = (tx: Parameters<Parameters<typeof kv.read>[0]>[0]): void => {
        tx.get(ALPHA, text('key'))?.fill(0)
        for (const row of tx.range(ALPHA, { limit: 10 })) {
          row.key.fill(0)
          row.value.fill(0)
        }
        for (const key of tx.keys(ALPHA, { limit: 10 })) key.fill(0)
      }
      await kv.write((tx) => {
        tx.put(ALPHA, text('key'), text('value'))
        scribble(tx)
      })
      kv.read(scribble)
      await kv.write(scribble)
      assert.deepEqual(allRows(kv, ALPHA), [[hex(text('key')), hex(text('value'))]])
    },
  },
  {
    name: 'an unknown table, an empty key and what is not bytes are TypeErrors',
    run: async ({ kv }) => {
      const noBytes = 'text' as unknown as Uint8Array
      const key = text('key')
      await assertRejects(
        kv.write((tx) => tx.put('no-such-table', key, key)),
        'TypeError',
      )
      await assertRejects(
        kv.write((tx) => tx.put(ALPHA, noBytes, key)),
        'TypeError',
      )
      await assertRejects(
        kv.write((tx) => tx.put(ALPHA, key, noBytes)),
        'TypeError',
      )
      await assertRejects(
        kv.write((tx) => tx.put(ALPHA, bytes(), key)),
        'TypeError',
      )
      await assertRejects(
        kv.write((tx) => tx.remove(ALPHA, bytes())),
        'TypeError',
      )
      for (const wrong of [noBytes, bytes()]) {
        assertThrows(() => kv.read((snapshot) => snapshot.get(ALPHA, wrong)), 'TypeError')
      }
      assertThrows(() => kv.read((snapshot) => snapshot.get('no-such-table', key)), 'TypeError')
      assertThrows(() => kv.read((snapshot) => snapshot.range('no-such-table', { limit: 1 })), 'TypeError')
      assert.deepEqual(allRows(kv, ALPHA), [])
    },
  },
]
