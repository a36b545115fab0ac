import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { allRows, bytes, numbered, readText, text } from './bytes.ts'
import { assertRejects, assertThrows } from './expectation.ts'
import { ALPHA, BETA, KV_SUITE_TABLES, type KvCase } from './fixture.ts'

/** Cases about opening and closing. */
export const lifecycleCases: readonly KvCase[] = [
  {
    name: 'a new store is empty, says what it is, and has its tables',
    run: async ({ kv }) => {
      assert.ok(kv.backend.length > 0, 'the backend has no name')
      assert.ok(kv.location.length > 0, 'the backend has no location')
      assert.equal(kv.readOnly, false)
      assert.equal(typeof kv.capabilities.durable, 'boolean')
      for (const table of KV_SUITE_TABLES) {
        assert.deepEqual(allRows(kv, table), [])
        await kv.write((tx) => {
          tx.put(table, text('a'), text('1'))
        })
        assert.equal(readText(kv, table, 'a'), '1')
      }
    },
  },
  {
    name: 'closing waits for the writes that are queued, background ones too',
    run: async ({ kv }) => {
      const delivered: string[] = []
      const write = (name: string, background: boolean): Promise<unknown> =>
        kv
          .write(
            (tx) => {
              tx.put(ALPHA, text(name), bytes())
              if (name === 'refused') throw new Error('on purpose')
            },
            { background },
          )
          .then(
            () => delivered.push(name),
            () => delivered.push(name),
          )
      void write('background', true)
      void write('first', false)
      void write('refused', false)
      await kv.close()
      assert.deepEqual(delivered, ['first', 'refused', 'background'])
    },
  },
  {
    name: 'closing waits for more writes than one group takes',
    run: async ({ kv }) => {
      let acknowledged = 0
      for (let id = 0; id < 12; id += 1) {
        const write = kv.write((tx) => {
          for (let row = 0; row < 500; row += 1) tx.put(ALPHA, numbered(id * 1000 + row), numbered(id))
        })
        write.then(
          () => {
            acknowledged += 1
          },
          () => undefined,
        )
      }
      await kv.close()
      assert.equal(acknowledged, 12)
    },
  },
  {
    name: 'closing twice, at once or later, is fine',
    run: async ({ kv }) => {
      await Promise.all([kv.close(), kv.close()])
      await kv.close()
    },
  },
  {
    name: 'a closed store refuses every call with STORE_CLOSED',
    run: async ({ kv }) => {
      await kv.write((tx) => {
        tx.put(ALPHA, text('a'), text('1'))
      })
      await kv.close()
      let ran = false
      assertThrows(
        () =>
          kv.read(() => {
            ran = true
          }),
        'STORE_CLOSED',
      )
      for (const background of [false, true]) {
        const late = kv.write(
          () => {
            ran = true
          },
          { background },
        )
        await assertRejects(late, 'STORE_CLOSED')
      }
      const { statistics } = kv.capabilities
      if (statistics !== undefined) assertThrows(() => statistics(), 'STORE_CLOSED')
      assert.equal(ran, false)
    },
  },
  {
    name: 'calls that come after close, while it waits, are refused with STORE_CLOSED',
    run: async ({ kv }) => {
      const queued = kv.write((tx) => {
        tx.put(ALPHA, text('a'), text('1'))
        return 'queued'
      })
      const closed = kv.close()
      const late = kv.write((tx) => {
        tx.put(ALPHA, text('late'), text('1'))
      })
      await assertRejects(late, 'STORE_CLOSED')
      assert.equal(await queued, 'queued')
      await closed
    },
  },
  {
    name: 'a store that met no failure does not settle `failed`',
    run: async ({ kv }) => {
      let settled = false
      const settle = (): void => {
        settled = true
      }
      kv.failed.then(settle, settle)
      await kv.write((tx) => {
        tx.put(BETA, text('a'), text('1'))
      })
      await kv.write(() => assert.fail('on purpose')).catch(() => undefined)
      await kv.close()
      await nextTurn()
      assert.equal(settled, false)
    },
  },
]
