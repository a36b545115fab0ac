import assert from 'node:assert/strict'

import type { KvStore } from '@saltcod/store-core/backend'
import { allRows, bytes, filled, numbered, readText, text } from './bytes.ts'
import { ALPHA, BETA, KV_SUITE_TABLES, type KvCase } from './fixture.ts'

const unlessDurable = (kv: KvStore): string | undefined =>
  kv.capabilities.durable ? undefined : 'the backend is not durable'

/** Cases about what is there after closing and opening again. */
export const durabilityCases: readonly KvCase[] = [
  {
    name: 'acknowledged writes are there after opening again, byte for byte and in order',
    skip: unlessDurable,
    run: async ({ kv, reopen }) => {
      const keys = [bytes(255, 255), bytes(0), bytes(97, 0), bytes(97), bytes(0, 0), bytes(128)]
      await kv.write((tx) => {
        for (const key of keys) tx.put(ALPHA, key, key.length === 1 ? bytes() : bytes(...key, 0, 255))
        tx.put(BETA, text('large'), filled(300_000, 7))
      })
      const before = KV_SUITE_TABLES.map((table) => allRows(kv, table))
      assert.deepEqual(
        before.map((rows) => rows.length),
        [keys.length, 1],
      )
      const again = await reopen()
      assert.deepEqual(
        KV_SUITE_TABLES.map((table) => allRows(again, table)),
        before,
      )
    },
  },
  {
    name: 'what was removed, replaced or refused is so after opening again',
    skip: unlessDurable,
    run: async ({ kv, reopen }) => {
      await kv.write((tx) => {
        for (const key of ['removed', 'replaced', 'kept']) tx.put(ALPHA, text(key), text('first'))
      })
      const refused = kv.write((tx) => {
        tx.put(ALPHA, text('ghost'), text('1'))
        tx.remove(ALPHA, text('kept'))
        throw new Error('on purpose')
      })
      const changed = kv.write((tx) => {
        tx.remove(ALPHA, text('removed'))
        tx.put(ALPHA, text('replaced'), text('second'))
      })
      await Promise.allSettled([refused, changed])
      const again = await reopen()
      assert.deepEqual(
        ['removed', 'replaced', 'kept', 'ghost'].map((key) => readText(again, ALPHA, key)),
        [undefined, 'second', 'first', undefined],
      )
    },
  },
  {
    name: 'writes that were queued when the store was closed are there after opening again',
    skip: unlessDurable,
    run: async ({ kv, reopen }) => {
      let acknowledged = 0
      for (let id = 0; id < 50; id += 1) {
        const write = kv.write((tx) => tx.put(ALPHA, numbered(id), numbered(id)), {
          background: id % 5 === 0,
        })
        write.then(
          () => {
            acknowledged += 1
          },
          () => undefined,
        )
      }
      const again = await reopen()
      assert.equal(acknowledged, 50)
      assert.equal(again.read((snapshot) => snapshot.keys(ALPHA, { limit: 100 })).length, 50)
    },
  },
  {
    name: 'a store that is opened again writes on, time after time',
    skip: unlessDurable,
    run: async ({ kv, reopen }) => {
      let current = kv
      for (let round = 0; round < 4; round += 1) {
        await current.write((tx) => tx.put(ALPHA, numbered(round), numbered(round)))
        current = await reopen()
        assert.equal(allRows(current, ALPHA).length, round + 1)
      }
    },
  },
]
