import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { bytes, filled, hex, hexRows, numbered, readText, text, textOf } from './bytes.ts'
import { ALPHA, BETA, type KvCase } from './fixture.ts'

/** Cases about what a reader sees: one moment of the whole store, however much is written. */
export const snapshotCases: readonly KvCase[] = [
  {
    name: 'a write that is called inside a read body is not seen in it',
    run: async ({ kv }) => {
      await kv.write((tx) => {
        tx.put(ALPHA, text('a'), text('old'))
      })
      const writes: Promise<void>[] = []
      kv.read((snapshot) => {
        const before = hexRows(snapshot.range(ALPHA, { limit: 10 }))
        writes.push(
          kv.write((tx) => {
            tx.put(ALPHA, text('a'), text('new'))
            tx.put(ALPHA, text('b'), text('new'))
          }),
        )
        assert.equal(textOf(snapshot.get(ALPHA, text('a'))), 'old')
        assert.equal(snapshot.get(ALPHA, text('b')), undefined)
        assert.deepEqual(hexRows(snapshot.range(ALPHA, { limit: 10 })), before)
        kv.read((inner) => {
          assert.equal(textOf(inner.get(ALPHA, text('a'))), 'old')
        })
        assert.equal(snapshot.keys(ALPHA, { limit: 10 }).length, 1)
      })
      await Promise.all(writes)
      assert.equal(readText(kv, ALPHA, 'a'), 'new')
    },
  },
  {
    name: 'an acknowledged write is seen by the next read, in whatever turn it comes',
    run: async ({ kv }) => {
      for (let id = 0; id < 20; id += 1) {
        const seen = kv
          .write((tx) => {
            tx.put(ALPHA, text('a'), text(String(id)))
          })
          .then(() => readText(kv, ALPHA, 'a'))
        assert.equal(await seen, String(id))
      }
    },
  },
  {
    name: 'a reader sees all of a write or nothing of it, and never an older state after a newer one',
    run: async ({ kv }) => {
      const rounds = 60
      const writes = Array.from({ length: rounds }, async (_, id) => {
        for (let turn = 0; turn < id % 7; turn += 1) await nextTurn()
        await kv.write((tx) => {
          const count = numbered(Number.parseInt(hex(tx.get(ALPHA, text('count'))) ?? '0', 16) + 1)
          tx.put(ALPHA, text('count'), count)
          tx.put(BETA, text('count'), count)
          tx.put(BETA, bytes(0, ...count), count)
        })
      })
      let done = false
      const finished = Promise.all(writes).finally(() => {
        done = true
      })
      // Where an assertion below fails, the writers must not leave a rejection that nobody handles.
      finished.catch(() => undefined)
      let last = ''
      while (!done) {
        kv.read((snapshot) => {
          const count = hex(snapshot.get(ALPHA, text('count'))) ?? ''
          assert.equal(hex(snapshot.get(BETA, text('count'))) ?? '', count)
          const newest = snapshot.range(BETA, { lt: bytes(1), limit: 1, reverse: true })
          assert.equal(hex(newest[0]?.value) ?? '', count)
          assert.ok(count >= last, `saw ${count} after ${last}`)
          last = count
        })
        await nextTurn()
      }
      await finished
      assert.equal(hex(kv.read((snapshot) => snapshot.get(BETA, text('count')))), hex(numbered(rounds)))
    },
  },
  {
    name: 'what was read stays as it was, whatever is written later',
    run: async ({ kv }) => {
      const ids = Array.from({ length: 40 }, (_, id) => id)
      await kv.write((tx) => {
        for (const id of ids) tx.put(ALPHA, numbered(id), filled(300, id))
      })
      const read = kv.read((snapshot) => ({
        values: ids.map((id) => snapshot.get(ALPHA, numbered(id))),
        rows: snapshot.range(ALPHA, { limit: 100 }),
        keys: snapshot.keys(ALPHA, { limit: 100 }),
      }))
      const own = await kv.write((tx) => tx.range(ALPHA, { limit: 100 }))
      for (let round = 0; round < 30; round += 1) {
        await kv.write((tx) => {
          for (const id of ids) {
            if (round % 3 === 2) tx.remove(ALPHA, numbered(id))
            else tx.put(ALPHA, numbered(id), filled(300 + round, 200 + round))
          }
        })
      }
      for (const id of ids) {
        assert.equal(hex(read.values[id]), hex(filled(300, id)))
        assert.deepEqual(hexRows([...read.rows.slice(id, id + 1), ...own.slice(id, id + 1)]), [
          [hex(numbered(id)), hex(filled(300, id))],
          [hex(numbered(id)), hex(filled(300, id))],
        ])
        assert.equal(hex(read.keys[id]), hex(numbered(id)))
      }
    },
  },
  {
    name: 'a refused write is at no time seen',
    run: async ({ kv }) => {
      let done = false
      const refused = Array.from({ length: 20 }, async (_, id) => {
        for (let turn = 0; turn < id; turn += 1) await nextTurn()
        await kv
          .write((tx) => {
            tx.put(ALPHA, text('ghost'), text('seen'))
            throw new Error('on purpose')
          })
          .catch(() => undefined)
      })
      const finished = Promise.all(refused).finally(() => {
        done = true
      })
      finished.catch(() => undefined)
      while (!done) {
        assert.equal(readText(kv, ALPHA, 'ghost'), undefined)
        await nextTurn()
      }
      await finished
      assert.equal(readText(kv, ALPHA, 'ghost'), undefined)
    },
  },
]
