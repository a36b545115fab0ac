import assert from 'node:assert/strict'

import {
  type KvStore,
  type KvTransaction,
  MAX_KEY_BYTES,
  MAX_TRANSACTION_BYTES,
  MAX_TRANSACTION_KEYS,
} from '@saltcod/store-core/backend'
import { allRows, bytes, filled, numbered, readText, text } from './bytes.ts'
import { assertRejects, assertThrows, swallow } from './expectation.ts'
import { ALPHA, BETA, type KvCase } from './fixture.ts'

const MEGABYTE = 1024 * 1024

/** Cases about the budgets of one write and the length of keys. */
export const limitCases: readonly KvCase[] = [
  {
    name: `a body may put ${MAX_TRANSACTION_KEYS} keys and not one more`,
    run: async ({ kv }) => {
      await kv.write((tx) => {
        putMany(tx, MAX_TRANSACTION_KEYS)
      })
      assert.equal(allRows(kv, ALPHA).length, MAX_TRANSACTION_KEYS)
      await assertTooLarge(kv, (tx) => {
        putMany(tx, MAX_TRANSACTION_KEYS)
        tx.put(BETA, text('one more'), bytes())
      })
    },
  },
  {
    name: `a body may remove ${MAX_TRANSACTION_KEYS} keys and not one more`,
    run: async ({ kv }) => {
      await kv.write((tx) => {
        putMany(tx, MAX_TRANSACTION_KEYS)
      })
      const removeMany = (tx: KvTransaction): void => {
        for (let id = 0; id < MAX_TRANSACTION_KEYS; id += 1) tx.remove(ALPHA, numbered(id))
      }
      await assertTooLarge(kv, (tx) => {
        removeMany(tx)
        tx.remove(ALPHA, numbered(0))
      })
      await kv.write(removeMany)
      assert.deepEqual(allRows(kv, ALPHA), [])
    },
  },
  {
    name: 'puts and removes share the budget, and a key counts each time',
    run: async ({ kv }) => {
      const half = MAX_TRANSACTION_KEYS / 2
      const both = (tx: KvTransaction): void => {
        for (let id = 0; id < half; id += 1) {
          tx.put(ALPHA, text('same'), numbered(id))
          tx.remove(ALPHA, text('same'))
        }
      }
      await kv.write(both)
      await assertTooLarge(kv, (tx) => {
        both(tx)
        tx.put(ALPHA, text('same'), bytes())
      })
    },
  },
  {
    name: `a body may put ${MAX_TRANSACTION_BYTES} bytes of keys and values and not one more`,
    run: async ({ kv }) => {
      const count = MAX_TRANSACTION_BYTES / MEGABYTE
      const putAll = (tx: KvTransaction, extra: number): void => {
        for (let id = 0; id < count; id += 1) {
          const value = filled(MEGABYTE - 1 + (id === count - 1 ? extra : 0), id)
          tx.put(ALPHA, bytes(id), value)
        }
      }
      await assertTooLarge(kv, (tx) => {
        putAll(tx, 1)
      })
      await kv.write((tx) => {
        putAll(tx, 0)
      })
      assert.equal(kv.read((snapshot) => snapshot.keys(ALPHA, { limit: 100 })).length, count)
      const last = kv.read((snapshot) => snapshot.get(ALPHA, bytes(count - 1)))
      assert.equal(last?.length, MEGABYTE - 1)
    },
  },
  {
    name: `a key longer than ${MAX_KEY_BYTES} bytes is refused by every call`,
    run: async ({ kv }) => {
      const long = filled(MAX_KEY_BYTES + 1, 97)
      const calls: readonly ((tx: KvTransaction) => unknown)[] = [
        (tx) => tx.put(ALPHA, long, bytes(1)),
        (tx) => tx.remove(ALPHA, long),
        (tx) => tx.get(ALPHA, long),
        (tx) => tx.range(ALPHA, { gte: long, limit: 1 }),
        (tx) => tx.keys(ALPHA, { lt: long, limit: 1 }),
      ]
      for (const call of calls) {
        const first = kv.write((tx) => {
          tx.put(ALPHA, text('before'), bytes(1))
          return call(tx)
        })
        await assertRejects(first, 'KEY_TOO_LONG')
        const swallowed = kv.write((tx) => {
          tx.put(ALPHA, text('before'), bytes(1))
          swallow(() => call(tx))
        })
        await assertRejects(swallowed, 'KEY_TOO_LONG')
      }
      assertThrows(() => kv.read((snapshot) => snapshot.get(ALPHA, long)), 'KEY_TOO_LONG')
      assert.deepEqual(allRows(kv, ALPHA), [])
    },
  },
  {
    name: 'a request that is too large harms none of its neighbours',
    run: async ({ kv }) => {
      const before = kv.write((tx) => {
        tx.put(ALPHA, text('before'), text('1'))
      })
      const large = kv.write((tx) => {
        for (let id = 0; id <= MAX_TRANSACTION_KEYS; id += 1) tx.put(BETA, numbered(id), bytes(1))
      })
      const after = kv.write((tx) => {
        tx.put(ALPHA, text('after'), text('1'))
      })
      await Promise.all([before, assertRejects(large, 'TRANSACTION_TOO_LARGE'), after])
      assert.equal(readText(kv, ALPHA, 'before'), '1')
      assert.equal(readText(kv, ALPHA, 'after'), '1')
      assert.deepEqual(allRows(kv, BETA), [])
    },
  },
]

function putMany(tx: KvTransaction, count: number): void {
  for (let id = 0; id < count; id += 1) tx.put(ALPHA, numbered(id), numbered(id))
}

/** Asserts that a body is refused for its size, swallowing the error or not, and that nothing changed. */
async function assertTooLarge(kv: KvStore, body: (tx: KvTransaction) => void): Promise<void> {
  const before = [allRows(kv, ALPHA), allRows(kv, BETA)]
  await assertRejects(kv.write(body), 'TRANSACTION_TOO_LARGE')
  const careless = kv.write((tx) => {
    swallow(() => {
      body(tx)
    })
  })
  await assertRejects(careless, 'TRANSACTION_TOO_LARGE')
  assert.deepEqual([allRows(kv, ALPHA), allRows(kv, BETA)], before)
}
