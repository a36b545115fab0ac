import assert from 'node:assert/strict'

import { isStoreError } from '@saltcod/store-core'
import type { KvStore } from '@saltcod/store-core/backend'
import { allRows, filled, numbered } from './bytes.ts'
import { ALPHA, type KvCase } from './fixture.ts'

/** More than a small store has room for, in rows of 32 KiB. */
const MOST_ROWS = 2_000

/** Cases about a disk that has no room, and about one that has forgotten. */
export const troubleCases: readonly KvCase[] = [
  {
    name: 'a full store refuses bodies whole, runs none of them twice, and takes others when there is room',
    skip: (_, fixture) => (fixture.openSmall === undefined ? 'the suite was given no openSmall' : undefined),
    run: async ({ fixture, adopt }) => {
      const opened = await fixture.openSmall?.()
      assert.ok(opened !== undefined)
      const kv = adopt(opened)
      const runs = new Map<number, number>()
      const kept = await fillUp(kv, runs)
      const there = kv.read((snapshot) => snapshot.keys(ALPHA, { limit: 10_000 }))
      assert.deepEqual(
        there.map((key) => Buffer.from(key).readUInt32BE(0)),
        kept.flatMap((id) => [2 * id, 2 * id + 1]),
      )
      assert.deepEqual(
        [...runs.values()].filter((times) => times !== 1),
        [],
      )
      // What frees something goes through, one step after the other.
      for (const id of kept) {
        await kv.write(
          (tx) => {
            tx.remove(ALPHA, numbered(2 * id))
            tx.remove(ALPHA, numbered(2 * id + 1))
          },
          { frees: true },
        )
      }
      assert.equal(allRows(kv, ALPHA).length, 0)
      await kv.write((tx) => tx.put(ALPHA, numbered(1), filled(1_000, 1)))
      assert.equal(allRows(kv, ALPHA).length, 1)
    },
  },
  {
    name: 'a read that meets a damaged page throws STORE_DAMAGED, and ends a store that is open for writing',
    skip: (_, fixture) => (fixture.damage === undefined ? 'the suite was given no damage' : undefined),
    run: async ({ kv, fixture, adopt }) => {
      for (let first = 0; first < 4_000; first += 1_000) {
        await kv.write((tx) => {
          for (let id = first; id < first + 1_000; id += 1) tx.put(ALPHA, numbered(id), filled(200, 7))
        })
      }
      const damaged = await fixture.damage?.()
      assert.ok(damaged !== undefined)
      adopt(damaged)
      assert.throws(() => allRows(damaged, ALPHA), { code: 'STORE_DAMAGED' })
      assert.equal((await damaged.failed).code, 'STORE_FAILED')
      assert.throws(() => allRows(damaged, ALPHA), { code: 'STORE_FAILED' })
      const write = damaged.write((tx) => tx.put(ALPHA, numbered(0), filled(1, 1)))
      await assert.rejects(write, { code: 'STORE_FAILED' })
    },
  },
]

/** Puts two rows with each body, several bodies at a time, until some are refused. Returns which were not. */
async function fillUp(kv: KvStore, runs: Map<number, number>): Promise<number[]> {
  const kept: number[] = []
  let next = 0
  let isFull = false
  const caller = async (): Promise<void> => {
    while (!isFull) {
      const id = next
      next += 1
      assert.ok(id < MOST_ROWS, 'the small store is never full')
      const put = kv.write((tx) => {
        runs.set(id, (runs.get(id) ?? 0) + 1)
        tx.put(ALPHA, numbered(2 * id), filled(16_384, 1))
        tx.put(ALPHA, numbered(2 * id + 1), filled(16_384, 2))
      })
      await put.then(
        () => kept.push(id),
        (error: unknown) => {
          assert.ok(isStoreError(error, 'STORE_FULL'), String(error))
          isFull = true
        },
      )
    }
  }
  await Promise.all([caller(), caller(), caller(), caller()])
  return kept.sort((left, right) => left - right)
}
