import assert from 'node:assert/strict'

import type { KvRange, KvSnapshot, KvStore, KvTransaction } from '@saltcod/store-core/backend'
import { SeededRandom } from '../seeded-random.ts'
import { allRows, hex, hexRows } from './bytes.ts'
import { KV_SUITE_TABLES, type KvCase } from './fixture.ts'
import { KvModel } from './model.ts'

const ROUNDS = 120

/** Bytes that keys are made of: few, so that keys meet and are prefixes of each other. */
const ALPHABET: readonly number[] = [0, 1, 97, 127, 128, 255]

/** Random commands, compared with the model after every round. */
export const randomCases: readonly KvCase[] = [
  {
    name: 'random writes, refusals and reads give what a sorted list gives',
    run: async ({ kv, seed, reopen }) => {
      const random = new SeededRandom(seed)
      let current = kv
      let model = new KvModel(KV_SUITE_TABLES)
      for (let round = 0; round < ROUNDS; round += 1) {
        try {
          model = await writeRound(current, model, random)
          for (let reads = 0; reads < 5; reads += 1) current.read((tx) => compareRead(tx, model, random))
          if (current.capabilities.durable && round % 40 === 39) current = await reopen()
          for (const table of KV_SUITE_TABLES) assert.deepEqual(allRows(current, table), model.rows(table))
        } catch (error) {
          const { message } = error as Error
          throw new Error(`seed ${seed}, round ${round}: ${message}`, { cause: error })
        }
      }
    },
  },
]

/** Writes several requests in one turn, some of which throw, and returns the model with the others. */
async function writeRound(kv: KvStore, before: KvModel, random: SeededRandom): Promise<KvModel> {
  let model = before
  const requests = Array.from({ length: 1 + random.below(5) }, async () => {
    const throws = random.below(4) === 0
    const onPurpose = new Error('on purpose')
    const outcome = kv.write((tx) => {
      // The body starts from what the bodies before it left, as the contract promises.
      const own = model.copy()
      for (let step = random.below(8); step >= 0; step -= 1) changeBoth(tx, own, random)
      if (throws) throw onPurpose
      model = own
    })
    await outcome.catch((error: unknown) => {
      if (error !== onPurpose) throw error
    })
  })
  await Promise.all(requests)
  return model
}

function changeBoth(tx: KvTransaction, model: KvModel, random: SeededRandom): void {
  const table = random.pick(KV_SUITE_TABLES)
  const key = randomKey(random)
  switch (random.below(5)) {
    case 0:
      assert.equal(tx.remove(table, key), model.remove(table, key), `remove of ${hex(key)}`)
      break
    case 1:
      compareRead(tx, model, random)
      break
    default: {
      const value = Uint8Array.from({ length: random.below(40) }, () => random.below(256))
      tx.put(table, key, value)
      model.put(table, key, value)
    }
  }
}

function compareRead(tx: KvSnapshot, model: KvModel, random: SeededRandom): void {
  const table = random.pick(KV_SUITE_TABLES)
  const key = randomKey(random)
  assert.equal(hex(tx.get(table, key)), model.get(table, key), `get of ${hex(key)}`)
  const range = randomRange(random)
  const expected = model.range(table, range)
  assert.deepEqual(hexRows(tx.range(table, range)), expected)
  assert.deepEqual(
    tx.keys(table, range).map((found) => hex(found)),
    expected.map(([found]) => found),
  )
}

function randomRange(random: SeededRandom): KvRange {
  const lower = random.pick([{}, { gte: randomKey(random) }, { gt: randomKey(random) }])
  const upper = random.pick([{}, { lte: randomKey(random) }, { lt: randomKey(random) }])
  return { ...lower, ...upper, reverse: random.below(2) === 0, limit: random.pick([1, 3, 10_000]) }
}

function randomKey(random: SeededRandom): Uint8Array {
  return Uint8Array.from({ length: 1 + random.below(3) }, () => random.pick(ALPHABET))
}
