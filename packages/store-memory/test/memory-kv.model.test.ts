import assert from 'node:assert/strict'

import type { KvRange, KvSnapshot, KvStore } from '@saltcod/store-core/backend'
import { KV_SUITE_TABLES, KvModel } from '@saltcod/store-testing'
import fc from 'fast-check'
import { test } from 'vitest'

import { openMemoryKv } from '../src/index.ts'

const table = fc.constantFrom(...KV_SUITE_TABLES)
/** Few bytes and short keys, so that keys meet and are prefixes of each other. */
const key = fc
  .uint8Array({ minLength: 1, maxLength: 3 })
  .map((bytes) => bytes.map((byte) => (byte % 3) * 127))
const value = fc.uint8Array({ maxLength: 20 })
const bound = (open: string, closed: string): fc.Arbitrary<Partial<KvRange>> =>
  fc.oneof(
    fc.constant({}),
    key.map((at) => ({ [open]: at })),
    key.map((at) => ({ [closed]: at })),
  )
const range: fc.Arbitrary<KvRange> = fc
  .tuple(bound('gt', 'gte'), bound('lt', 'lte'), fc.boolean(), fc.integer({ min: 1, max: 40 }))
  .map(([lower, upper, reverse, limit]) => ({ ...lower, ...upper, reverse, limit }))

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('put' as const), table, key, value }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), table, key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('get' as const), table, key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('range' as const), table, range }) },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never
const request = fc.record({
  steps: fc.array(step, { maxLength: 40 }),
  fails: fc.nat(3).map((n) => n === 0),
  background: fc.nat(4).map((n) => n === 0),
})
type Request = typeof request extends fc.Arbitrary<infer R> ? R : never

test('any requests, many in one turn, give what a sorted list gives', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(request, { maxLength: 6 }), { maxLength: 6 }), async (turns) => {
      const kv = openMemoryKv({ tables: KV_SUITE_TABLES })
      const truth = { model: new KvModel(KV_SUITE_TABLES) }
      for (const turn of turns) {
        await Promise.all(turn.map((each) => send(kv, truth, each)))
        for (const name of KV_SUITE_TABLES) {
          const everything: Step = { do: 'range', table: name, range: { limit: 10_000 } }
          kv.read((snapshot) => {
            check(snapshot, truth.model, everything)
          })
        }
      }
      await kv.close()
    }),
    { numRuns: 150 },
  )
})

async function send(
  kv: KvStore,
  truth: { model: KvModel },
  { steps, fails, background }: Request,
): Promise<void> {
  const onPurpose = new Error('on purpose')
  const outcome = kv.write(
    (tx) => {
      const model = truth.model.copy()
      for (const each of steps) {
        if (each.do === 'put') {
          tx.put(each.table, each.key, each.value)
          model.put(each.table, each.key, each.value)
        } else if (each.do === 'remove') {
          assert.equal(tx.remove(each.table, each.key), model.remove(each.table, each.key))
        } else check(tx, model, each)
      }
      if (fails) throw onPurpose
      truth.model = model
    },
    { background },
  )
  if (fails) await assert.rejects(outcome, (error) => error === onPurpose)
  else await outcome
}

function check(snapshot: KvSnapshot, model: KvModel, each: Step): void {
  const hex = (bytes: Uint8Array | undefined): string | undefined =>
    bytes && Buffer.from(bytes).toString('hex')
  if (each.do === 'get')
    assert.equal(hex(snapshot.get(each.table, each.key)), model.get(each.table, each.key))
  if (each.do !== 'range') return
  const rows = snapshot.range(each.table, each.range).map((row) => [hex(row.key), hex(row.value)])
  assert.deepEqual(rows, model.range(each.table, each.range))
}
