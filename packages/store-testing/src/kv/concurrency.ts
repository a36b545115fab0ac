import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'

import type { KvStore, KvTransaction } from '@saltcod/store-core/backend'
import { bytes, hex, numbered, readText, text, textOf } from './bytes.ts'
import { ALPHA, type KvCase } from './fixture.ts'

/** Cases about many writes at once: their order, and that each stands alone. */
export const concurrencyCases: readonly KvCase[] = [
  {
    name: 'writes of one turn are carried out in the order of their calls, each on the state before it',
    run: async ({ kv }) => {
      const total = 500
      const results = await Promise.all(Array.from({ length: total }, () => kv.write(increment)))
      assert.deepEqual(
        results,
        Array.from({ length: total }, (_, index) => index + 1),
      )
      assert.equal(hex(kv.read((snapshot) => snapshot.get(ALPHA, text('count')))), hex(numbered(total)))
    },
  },
  {
    name: 'writes of several turns, and those called when others end, keep the order of their calls',
    run: async ({ kv }) => {
      const called: number[] = []
      const ran: number[] = []
      const outcomes: Promise<unknown>[] = []
      const write = (id: number): void => {
        called.push(id)
        outcomes.push(
          kv
            .write(() => ran.push(id))
            .then(() => {
              if (id < 200) write(id + 200)
            }),
        )
      }
      for (let id = 0; id < 100; id += 1) {
        write(id)
        if (id % 10 === 9) await nextTurn()
        if (id % 17 === 16) await Promise.resolve()
      }
      for (const outcome of outcomes) await outcome
      await Promise.all(outcomes)
      assert.equal(ran.length, 200)
      assert.deepEqual(ran, called)
    },
  },
  {
    name: 'outcomes, refusals among them, are delivered in the order of the calls',
    run: async ({ kv }) => {
      const delivered: string[] = []
      const outcomes = Array.from({ length: 90 }, (_, id) =>
        kv
          .write((tx) => {
            tx.put(ALPHA, numbered(id), bytes())
            if (id % 3 === 1) throw new Error('on purpose')
          })
          .then(
            () => delivered.push(`${id} done`),
            () => delivered.push(`${id} refused`),
          ),
      )
      await Promise.all(outcomes)
      assert.deepEqual(
        delivered,
        Array.from({ length: 90 }, (_, id) => `${id} ${id % 3 === 1 ? 'refused' : 'done'}`),
      )
      assert.equal(kv.read((snapshot) => snapshot.keys(ALPHA, { limit: 100 })).length, 60)
    },
  },
  {
    name: 'a refusal that rests on an earlier write is delivered once that write can be read',
    run: async ({ kv }) => {
      let acknowledged = false
      const first = kv
        .write((tx) => {
          tx.put(ALPHA, text('name'), text('taken'))
        })
        .then(() => {
          acknowledged = true
        })
      const second = kv.write((tx) => {
        if (tx.get(ALPHA, text('name')) !== undefined) throw new RangeError('the name is taken')
        return 'free'
      })
      const seen = await second.then(
        (result) => result,
        (error: Error) => [error.name, acknowledged, readText(kv, ALPHA, 'name')],
      )
      assert.deepEqual(seen, ['RangeError', true, 'taken'])
      await first
    },
  },
  {
    name: 'more writes in one turn than one group takes are all carried out, in order',
    run: async ({ kv }) => {
      const outcomes = Array.from({ length: 14 }, (_, id) =>
        kv.write((tx) => {
          assert.equal(tx.get(ALPHA, text('last')) === undefined, id === 0)
          if (id > 0) assert.equal(textOf(tx.get(ALPHA, text('last'))), String(id - 1))
          for (let row = 0; row < 700; row += 1) tx.put(ALPHA, numbered(id * 1000 + row), numbered(id))
          tx.put(ALPHA, text('last'), text(String(id)))
        }),
      )
      await Promise.all(outcomes)
      assert.equal(kv.read((snapshot) => snapshot.keys(ALPHA, { limit: 10_000 })).length, 14 * 700 + 1)
      assert.equal(readText(kv, ALPHA, 'last'), '13')
    },
  },
  {
    name: 'among many writes of one turn only those that throw are undone',
    run: async ({ kv }) => {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 300 }, (_, id) =>
          kv.write((tx) => {
            const count = increment(tx)
            tx.put(ALPHA, numbered(id), numbered(count))
            if (id % 3 === 0) throw new Error('on purpose')
            return count
          }),
        ),
      )
      const counts = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
      assert.deepEqual(
        counts,
        Array.from({ length: 200 }, (_, index) => index + 1),
      )
      const expected = outcomes.flatMap((_, id) => (id % 3 === 0 ? [] : [hex(numbered(id))]))
      const keys = kv.read((snapshot) => snapshot.keys(ALPHA, { lt: text('count'), limit: 1000 }))
      assert.deepEqual(
        keys.map((key) => hex(key)),
        expected,
      )
    },
  },
  {
    name: 'background writes wait for the foreground, and are carried out whole and in order',
    run: async ({ kv }) => {
      const ran: string[] = []
      const write = (name: string, background: boolean): Promise<unknown> =>
        kv.write(
          (tx) => {
            ran.push(name)
            tx.put(ALPHA, text(name), text(name))
          },
          { background },
        )
      await Promise.all([
        write('background 1', true),
        write('foreground 1', false),
        write('background 2', true),
        write('foreground 2', false),
      ])
      assert.deepEqual(ran, ['foreground 1', 'foreground 2', 'background 1', 'background 2'])
      assert.equal(kv.read((snapshot) => snapshot.keys(ALPHA, { limit: 10 })).length, 4)
    },
  },
  {
    name: 'a background write that throws is refused and changes nothing',
    run: async ({ kv }) => {
      const failure = new Error('on purpose')
      const outcome = kv.write(
        (tx) => {
          tx.put(ALPHA, text('a'), text('1'))
          throw failure
        },
        { background: true },
      )
      await assert.rejects(outcome, (error) => error === failure)
      assert.equal(readText(kv, ALPHA, 'a'), undefined)
    },
  },
  {
    name: 'background writes are carried out while the foreground writes on',
    run: async ({ kv }) => {
      let waiting = 5
      const background = Array.from({ length: waiting }, (_, id) =>
        kv
          .write((tx) => tx.put(ALPHA, numbered(id), bytes()), { background: true })
          .finally(() => {
            waiting -= 1
          }),
      )
      await keepWriting(kv, () => waiting > 0)
      await Promise.all(background)
      assert.equal(kv.read((snapshot) => snapshot.keys(ALPHA, { lt: text('count'), limit: 10 })).length, 5)
    },
  },
  {
    name: 'background writes have little more than a quarter of the time while the foreground writes on',
    run: async ({ kv }) => {
      const bodies = { foreground: 0, background: 0 }
      let waiting = 24
      const body = (kind: keyof typeof bodies) => (): void => {
        // All take the same time, so that their numbers tell the shares.
        for (const endsAt = performance.now() + 2; performance.now() < endsAt; );
        bodies[kind] += 1
      }
      const caller = async (): Promise<void> => {
        while (waiting > 0) await kv.write(body('foreground'))
      }
      const callers = [caller(), caller(), caller(), caller()]
      const background = Array.from({ length: waiting }, () =>
        kv.write(body('background'), { background: true }).finally(() => {
          waiting -= 1
        }),
      )
      await Promise.all([...callers, ...background])
      const share = bodies.background / (bodies.background + bodies.foreground)
      assert.ok(share < 0.45, `the share of background writes was ${share}`)
    },
  },
]

/** Adds one to the number under `count` and returns it. */
function increment(tx: KvTransaction): number {
  const count = Number.parseInt(hex(tx.get(ALPHA, text('count'))) ?? '0', 16) + 1
  tx.put(ALPHA, text('count'), numbered(count))
  return count
}

/** Writes with several callers, so that some foreground write is always queued, while a condition holds. */
async function keepWriting(kv: KvStore, goesOn: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000
  const caller = async (): Promise<void> => {
    while (goesOn()) {
      await kv.write(increment)
      assert.ok(Date.now() < deadline, 'background writes were not carried out in 20 seconds')
    }
  }
  await Promise.all([caller(), caller(), caller(), caller()])
}
