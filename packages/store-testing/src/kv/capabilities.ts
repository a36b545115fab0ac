import assert from 'node:assert/strict'

import type { KvStatistics, KvStore } from '@saltcod/store-core/backend'
import { allRows, filled, numbered, text } from './bytes.ts'
import { ALPHA, BETA, KV_SUITE_TABLES, type KvCase } from './fixture.ts'

/** Cases about what not every backend has; a backend that declares it must do it. */
export const capabilityCases: readonly KvCase[] = [
  {
    name: 'statistics count the rows of every table, also of an empty one',
    skip: (kv) => {
      const { statistics } = kv.capabilities
      if (statistics === undefined) return 'the backend has no statistics'
      return statistics().approximate === true ? 'its statistics are approximate' : undefined
    },
    run: async ({ kv }) => {
      assert.deepEqual(rowCounts(statisticsOf(kv)), { alpha: 0, beta: 0 })
      await fill(kv, 100)
      await kv.write((tx) => {
        tx.put(ALPHA, numbered(0), filled(10, 1))
        tx.remove(ALPHA, numbered(1))
        tx.put(BETA, text('a'), text('1'))
      })
      await kv
        .write((tx) => {
          tx.put(BETA, text('b'), text('1'))
          throw new Error('on purpose')
        })
        .catch(() => undefined)
      const statistics = statisticsOf(kv)
      assert.deepEqual(rowCounts(statistics), { alpha: 99, beta: 1 })
      const alpha = statistics.tables.find(({ table }) => table === ALPHA)
      assert.ok((alpha?.usedBytes ?? 0) >= 99 * 4, 'the used bytes are fewer than those of the keys')
      const sum = statistics.tables.reduce((total, { usedBytes }) => total + usedBytes, 0)
      assert.ok(statistics.usedBytes >= sum, 'all tables use more bytes than the store')
      assert.ok(statistics.freeBytes >= 0 && statistics.fileBytes >= 0)
      if (statistics.fileBytes > 0) assert.ok(statistics.fileBytes >= statistics.usedBytes)
    },
  },
  {
    name: 'approximate statistics name every table, and make sense',
    skip: (kv) =>
      kv.capabilities.statistics?.().approximate === true ? undefined : 'the backend has no such statistics',
    run: async ({ kv }) => {
      await fill(kv, 100)
      const { tables, usedBytes, freeBytes, fileBytes } = statisticsOf(kv)
      assert.deepEqual(tables.map(({ table }) => table).sort(), [...KV_SUITE_TABLES].sort())
      const numbers = [usedBytes, freeBytes, fileBytes, ...tables.flatMap((of) => [of.rows, of.usedBytes])]
      for (const number of numbers) assert.ok(Number.isSafeInteger(number) && number >= 0, String(number))
    },
  },
  {
    name: 'a backup is a whole copy of one moment that the store does not change any more',
    skip: (kv) => (kv.capabilities.backup === undefined ? 'the backend has no backup' : undefined),
    run: async ({ kv, fixture, adopt }) => {
      const { backupPath, openBackup } = fixture
      if (backupPath === undefined || openBackup === undefined) {
        throw new TypeError('A backend with a backup must give the suite `backupPath` and `openBackup`.')
      }
      await fill(kv, 500)
      const backup = kv.capabilities.backup?.(backupPath)
      await countWhile(kv, backup)
      assert.ok(((await backup) ?? 0) > 0, 'the backup is said to be empty')
      await kv.write((tx) => {
        tx.put(ALPHA, text('later'), text('1'))
      })
      const copy = adopt(await openBackup())
      const rows = allRows(copy, ALPHA)
      assert.equal(rows.length, 500)
      const [counted] = allRows(copy, BETA)
      const [other] = copy.read((snapshot) => snapshot.range(BETA, { limit: 1, reverse: true }))
      assert.deepEqual(counted?.[1], other && Buffer.from(other.value).toString('hex'))
      await kv.write((tx) => {
        tx.remove(ALPHA, text('later'))
      })
      assert.deepEqual(rows, allRows(kv, ALPHA))
    },
  },
  {
    name: 'a backup to a path that exists is STORE_FOREIGN, and what is there stays',
    skip: (kv) => (kv.capabilities.backup === undefined ? 'the backend has no backup' : undefined),
    run: async ({ kv, fixture, adopt }) => {
      const path = fixture.backupPath ?? ''
      await fill(kv, 10)
      await kv.capabilities.backup?.(path)
      await fill(kv, 20)
      await assert.rejects(async () => kv.capabilities.backup?.(path), { code: 'STORE_FOREIGN' })
      assert.equal(allRows(kv, ALPHA).length, 20)
      const copy = await fixture.openBackup?.()
      assert.ok(copy !== undefined)
      assert.equal(allRows(adopt(copy), ALPHA).length, 10)
    },
  },
  {
    name: 'a rewrite changes no row, loses no write that comes meanwhile, and gives space back',
    skip: (kv) => (kv.capabilities.rewrite === undefined ? 'the backend has no rewrite' : undefined),
    run: async ({ kv, reopen }) => {
      await fill(kv, 2000)
      await kv.write((tx) => {
        for (let id = 0; id < 1900; id += 1) tx.remove(ALPHA, numbered(id))
      })
      const rewrite = kv.capabilities.rewrite?.()
      const counted = await countWhile(kv, rewrite)
      const report = await rewrite
      assert.ok(report !== undefined && report.bytesAfter <= report.bytesBefore)
      assert.equal(allRows(kv, ALPHA).length, 100)
      const expected = [counted, counted].map((count) => Buffer.from(numbered(count)).toString('hex'))
      assert.deepEqual(
        allRows(kv, BETA).map(([, value]) => value),
        expected,
      )
      if (!kv.capabilities.durable) return
      const before = KV_SUITE_TABLES.map((table) => allRows(kv, table))
      const again = await reopen()
      assert.deepEqual(
        KV_SUITE_TABLES.map((table) => allRows(again, table)),
        before,
      )
    },
  },
  {
    name: 'a store opened for reading reads, and refuses to write with STORE_READ_ONLY',
    skip: (_, fixture) =>
      fixture.openReadOnly === undefined ? 'the suite was given no openReadOnly' : undefined,
    run: async ({ kv, fixture, adopt }) => {
      await fill(kv, 10)
      const before = allRows(kv, ALPHA)
      await kv.close()
      const opened = await fixture.openReadOnly?.()
      assert.ok(opened !== undefined)
      const reader = adopt(opened)
      assert.equal(reader.readOnly, true)
      assert.deepEqual(allRows(reader, ALPHA), before)
      await assert.rejects(
        reader.write((tx) => tx.put(ALPHA, text('a'), text('1'))),
        { code: 'STORE_READ_ONLY' },
      )
      assert.deepEqual(allRows(reader, ALPHA), before)
    },
  },
]

async function fill(kv: KvStore, count: number): Promise<void> {
  await kv.write((tx) => {
    for (let id = 0; id < count; id += 1) tx.put(ALPHA, numbered(id), filled(200, id & 255))
  })
}

/** Writes one number under two keys until something ends, at least once. Returns the number. */
async function countWhile(kv: KvStore, work: Promise<unknown> | undefined): Promise<number> {
  let working = true
  const end = (): void => {
    working = false
  }
  work?.then(end, end)
  let count = 0
  do {
    count += 1
    const value = numbered(count)
    await kv.write((tx) => {
      tx.put(BETA, text('first'), value)
      tx.put(BETA, text('second'), value)
    })
  } while (working)
  return count
}

function statisticsOf(kv: KvStore): KvStatistics {
  const statistics = kv.capabilities.statistics?.()
  assert.ok(statistics !== undefined)
  return statistics
}

/** Row counts of the suite's tables; a backend may have tables of its own beside them. */
function rowCounts({ tables }: KvStatistics): Record<string, number> {
  const own = tables.filter(({ table }) => KV_SUITE_TABLES.includes(table))
  return Object.fromEntries(own.map(({ table, rows }) => [table, rows]))
}
