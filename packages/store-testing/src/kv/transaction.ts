import assert from 'node:assert/strict'

import type { KvSnapshot, KvStore, KvTransaction } from '@saltcod/store-core/backend'
import { allRows, bytes, hexRows, readText, text, textOf } from './bytes.ts'
import { assertRejects } from './expectation.ts'
import { ALPHA, BETA, KV_SUITE_TABLES, type KvCase } from './fixture.ts'
import { KvModel } from './model.ts'

/** Cases about one write body: it sees its own changes, and all of them count or none. */
export const transactionCases: readonly KvCase[] = [
  {
    name: 'what the body returns comes back as it is',
    run: async ({ kv }) => {
      const result = { any: 'thing' }
      assert.equal(await kv.write(() => result), result)
      assert.equal(
        kv.read(() => result),
        result,
      )
      for (const plain of [undefined, null, 0, '', false]) {
        assert.equal(await kv.write(() => plain), plain)
        assert.equal(
          kv.read(() => plain),
          plain,
        )
      }
    },
  },
  {
    name: 'a body runs once',
    run: async ({ kv }) => {
      let runs = 0
      await kv.write((tx) => {
        runs += 1
        tx.put(ALPHA, text('a'), text('1'))
      })
      await assertRejects(
        kv.write((tx) => {
          runs += 1
          tx.put('no-such-table', text('a'), text('1'))
        }),
        'TypeError',
      )
      const throwing = kv.write(() => {
        runs += 1
        throw new RangeError('on purpose')
      })
      await assert.rejects(throwing, RangeError)
      assert.equal(runs, 3)
    },
  },
  {
    name: 'a body reads its own puts and removes',
    run: async ({ kv }) => {
      await kv.write((tx) => {
        tx.put(ALPHA, text('old'), text('old'))
        tx.put(ALPHA, text('gone'), text('gone'))
      })
      await kv.write((tx) => {
        tx.put(ALPHA, text('new'), text('1'))
        assert.equal(textOf(tx.get(ALPHA, text('new'))), '1')
        tx.put(ALPHA, text('new'), text('2'))
        assert.equal(textOf(tx.get(ALPHA, text('new'))), '2')
        tx.put(ALPHA, text('old'), text('newer'))
        assert.equal(textOf(tx.get(ALPHA, text('old'))), 'newer')
        assert.equal(tx.remove(ALPHA, text('gone')), true)
        assert.equal(tx.get(ALPHA, text('gone')), undefined)
        assert.equal(tx.remove(ALPHA, text('gone')), false)
        tx.put(ALPHA, text('gone'), text('back'))
        assert.equal(textOf(tx.get(ALPHA, text('gone'))), 'back')
        assert.equal(tx.get(BETA, text('new')), undefined)
      })
      assert.deepEqual(
        ['gone', 'new', 'old'].map((key) => readText(kv, ALPHA, key)),
        ['back', '2', 'newer'],
      )
    },
  },
  {
    name: 'a range inside a body covers its own puts and removes',
    run: async ({ kv }) => {
      const model = new KvModel(KV_SUITE_TABLES)
      const both = (tx: KvTransaction, change: (target: KvTransaction | KvModel) => void): void => {
        change(tx)
        change(model)
        for (const reverse of [false, true]) {
          for (const range of [{ limit: 100 }, { gt: bytes(4), lte: bytes(9), limit: 3 }]) {
            const rows = hexRows(tx.range(ALPHA, { ...range, reverse }))
            assert.deepEqual(rows, model.range(ALPHA, { ...range, reverse }))
          }
        }
      }
      await kv.write((tx) => {
        for (let id = 0; id < 12; id += 2) both(tx, (target) => target.put(ALPHA, bytes(id), bytes(id)))
      })
      await kv.write((tx) => {
        for (let id = 1; id < 12; id += 2) both(tx, (target) => target.put(ALPHA, bytes(id), bytes(id)))
        for (const id of [0, 5, 6, 11]) both(tx, (target) => target.remove(ALPHA, bytes(id)))
        both(tx, (target) => target.put(ALPHA, bytes(6), bytes(66)))
        both(tx, (target) => target.put(ALPHA, bytes(7), bytes(77)))
      })
      assert.deepEqual(allRows(kv, ALPHA), model.rows(ALPHA))
    },
  },
  {
    name: 'a body that throws changes nothing, and its error comes back',
    run: async ({ kv }) => {
      await seed(kv)
      const failure = new Error('on purpose')
      const outcome = kv.write((tx) => {
        change(tx)
        throw failure
      })
      await assert.rejects(outcome, (error) => error === failure)
      assertSeeded(kv)
    },
  },
  {
    name: 'whatever a body throws is what comes back, even undefined',
    run: async ({ kv }) => {
      await seed(kv)
      const throwNothing = (tx: KvTransaction): void => {
        change(tx)
        const nothing: unknown = undefined
        throw nothing
      }
      const outcome = await kv.write(throwNothing).then(
        () => 'carried out',
        (error: unknown) => error,
      )
      assert.equal(outcome, undefined)
      assertSeeded(kv)
    },
  },
  {
    name: 'a failed request between two good ones of the same turn leaves only theirs',
    run: async ({ kv }) => {
      await seed(kv)
      const before = kv.write((tx) => {
        tx.put(ALPHA, text('before'), text('1'))
      })
      const failed = kv.write((tx) => {
        assert.equal(textOf(tx.get(ALPHA, text('before'))), '1')
        change(tx)
        tx.put(ALPHA, text('before'), text('spoilt'))
        throw new TypeError('on purpose')
      })
      const after = kv.write((tx) => {
        assert.equal(textOf(tx.get(ALPHA, text('before'))), '1')
        assert.equal(textOf(tx.get(ALPHA, text('kept'))), 'kept')
        assert.equal(tx.get(ALPHA, text('added')), undefined)
        tx.put(ALPHA, text('after'), text('1'))
      })
      await Promise.all([before, assertRejects(failed, 'TypeError'), after])
      assert.equal(readText(kv, ALPHA, 'before'), '1')
      assert.equal(readText(kv, ALPHA, 'after'), '1')
      await kv.write((tx) => {
        tx.remove(ALPHA, text('before'))
        tx.remove(ALPHA, text('after'))
      })
      assertSeeded(kv)
    },
  },
  {
    name: 'a call that threw dooms the request, even if the body swallowed the error',
    run: async ({ kv }) => {
      await seed(kv)
      const mistakes: readonly ((tx: KvTransaction) => unknown)[] = [
        (tx) => tx.put('no-such-table', text('a'), text('a')),
        (tx) => tx.put(ALPHA, bytes(), text('a')),
        (tx) => tx.remove('no-such-table', text('a')),
        (tx) => tx.get('no-such-table', text('a')),
        (tx) => tx.range(ALPHA, { limit: 0.5 }),
        (tx) => tx.keys(ALPHA, { gt: text('a'), gte: text('a'), limit: 1 }),
      ]
      for (const mistake of mistakes) {
        let swallowed: unknown
        const outcome = kv.write((tx) => {
          change(tx)
          try {
            mistake(tx)
          } catch (error) {
            swallowed = error
          }
          return 'all is well'
        })
        await assert.rejects(
          outcome,
          (error) => error === swallowed,
          `should be doomed by ${String(mistake)}`,
        )
        assertSeeded(kv)
      }
    },
  },
  {
    name: 'a body that throws its own error after a swallowed one gets its own back',
    run: async ({ kv }) => {
      const own = new Error('own')
      const outcome = kv.write((tx) => {
        try {
          tx.put(ALPHA, bytes(), bytes())
        } catch {
          throw own
        }
      })
      await assert.rejects(outcome, (error) => error === own)
    },
  },
  {
    name: 'a body that returns a promise or another thenable is refused and changes nothing',
    run: async ({ kv }) => {
      await seed(kv)
      const waits = async (tx: KvTransaction): Promise<void> => {
        change(tx)
        await Promise.resolve()
      }
      await assertRejects(kv.write(waits), 'TypeError')
      const thenable: object = Object.defineProperty({}, 'then', { value: () => undefined })
      await assertRejects(
        kv.write((tx) => {
          change(tx)
          return thenable
        }),
        'TypeError',
      )
      const readThenable = async (): Promise<unknown> => kv.read(() => thenable) === undefined
      await assertRejects(readThenable(), 'TypeError')
      assertSeeded(kv)
    },
  },
  {
    name: 'a body that calls write or read of its store is refused and changes nothing',
    run: async ({ kv }) => {
      await seed(kv)
      const calls: readonly (() => unknown)[] = [
        () => kv.write((tx) => tx.put(ALPHA, text('nested'), text('1'))),
        () => kv.read((snapshot) => snapshot.get(ALPHA, text('kept'))),
      ]
      for (const call of calls) {
        for (const careless of [false, true]) {
          await assertRejects(
            kv.write((tx) => {
              change(tx)
              callNested(call, careless)
            }),
            'TypeError',
          )
          await kv.write(() => undefined)
          assert.equal(readText(kv, ALPHA, 'nested'), undefined)
          assertSeeded(kv)
        }
      }
    },
  },
  {
    name: 'a nested call throws at once, and the body around it rejects with the same error',
    run: async ({ kv }) => {
      for (const call of [() => kv.write(() => undefined), () => kv.read(() => undefined)]) {
        let thrown: unknown
        const outcome = kv.write(() => {
          try {
            void call()
          } catch (error) {
            thrown = error
          }
        })
        await assert.rejects(outcome, (error) => error instanceof TypeError && error === thrown)
      }
    },
  },
  {
    name: 'a transaction and a snapshot are dead once their body has returned',
    run: async ({ kv }) => {
      await seed(kv)
      const kept: (KvTransaction | KvSnapshot)[] = []
      await kv.write((tx) => kept.push(tx))
      kv.read((snapshot) => kept.push(snapshot))
      await kv
        .write((tx) => {
          kept.push(tx)
          throw new Error('on purpose')
        })
        .catch(() => undefined)
      assertDead(kept)
      await kv.write(() => {
        assertDead(kept)
      })
      kv.read(() => {
        assertDead(kept)
      })
      assertSeeded(kv)
    },
  },
]

function assertDead(kept: readonly (KvTransaction | KvSnapshot)[]): void {
  const dead = { name: 'TypeError' }
  for (const tx of kept) {
    assert.throws(() => tx.get(ALPHA, text('kept')), dead)
    assert.throws(() => tx.range(ALPHA, { limit: 1 }), dead)
    assert.throws(() => tx.keys(ALPHA, { limit: 1 }), dead)
    if (!('put' in tx)) continue
    assert.throws(() => tx.put(ALPHA, text('kept'), text('late')), dead)
    assert.throws(() => tx.remove(ALPHA, text('kept')), dead)
  }
}

function callNested(call: () => unknown, careless: boolean): void {
  try {
    const result = call()
    // A backend may throw at once or reject: the outer request is refused either way.
    if (result instanceof Promise) result.catch(() => undefined)
  } catch (error) {
    if (!careless) throw error
  }
}

async function seed(kv: KvStore): Promise<void> {
  await kv.write((tx) => {
    tx.put(ALPHA, text('kept'), text('kept'))
    tx.put(ALPHA, text('replaced'), text('first'))
    tx.put(BETA, text('removed'), text('still here'))
  })
}

/** Replaces, removes and adds rows in both tables. */
function change(tx: KvTransaction): void {
  tx.put(ALPHA, text('replaced'), text('second'))
  tx.put(ALPHA, text('added'), text('added'))
  tx.remove(BETA, text('removed'))
  tx.put(BETA, text('added'), text('added'))
}

function assertSeeded(kv: KvStore): void {
  const rows = KV_SUITE_TABLES.map((table) =>
    kv.read((snapshot) =>
      snapshot.range(table, { limit: 100 }).map(({ key, value }) => [textOf(key), textOf(value)]),
    ),
  )
  assert.deepEqual(rows, [
    [
      ['kept', 'kept'],
      ['replaced', 'first'],
    ],
    [['removed', 'still here']],
  ])
}
