import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isStoreError } from '@saltcod/store-core'
import type { KvStore } from '@saltcod/store-core/backend'
import { expect, test } from 'vitest'
import { IS_LONG } from '../../../../test/seed.ts'
import { fillDisk, smallDisk } from '../../../../test/small-disk.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { openLmdbKv } from '../../src/index.ts'

const ROUNDS = IS_LONG ? 50 : 2
const TABLES = ['alpha']

const numbered = (id: number): Buffer => Buffer.from(String(id).padStart(10, '0'))

/** A store, and what must be in it. */
class Filling {
  readonly ids = new Set<number>()
  readonly #store: KvStore
  #next = 0

  constructor(store: KvStore) {
    this.#store = store
  }

  /** Puts rows, several callers at once, until a write is refused; returns the refusal. */
  async untilRefused(): Promise<unknown> {
    let refusal: unknown
    const caller = async (): Promise<void> => {
      while (refusal === undefined) {
        const first = this.#next
        this.#next += 10
        try {
          await this.#put(first)
        } catch (error) {
          refusal = error
        }
      }
    }
    await Promise.all([caller(), caller(), caller(), caller()])
    return refusal
  }

  async #put(first: number): Promise<void> {
    await this.#store.write((transaction) => {
      for (let id = first; id < first + 10; id += 1) {
        transaction.put('alpha', numbered(id), Buffer.alloc(id % 3 === 0 ? 5_000 : 700, id))
      }
    })
    for (let id = first; id < first + 10; id += 1) this.ids.add(id)
  }

  async remove(count: number): Promise<void> {
    const ids = [...this.ids].slice(0, count)
    await this.#store.write(
      (transaction) => {
        for (const id of ids) transaction.remove('alpha', numbered(id))
      },
      { background: true },
    )
    for (const id of ids) this.ids.delete(id)
  }

  /** Compares the store with what was acknowledged; only the differences, because there are many rows. */
  expectWhole(store: KvStore): void {
    const there = new Set<number>()
    let after = Buffer.from('0')
    for (;;) {
      const keys = store.read((snapshot) => snapshot.keys('alpha', { gt: after, limit: 10_000 }))
      for (const key of keys) there.add(Number(Buffer.from(key).toString()))
      const last = keys.at(-1)
      if (last === undefined) break
      after = Buffer.from(last)
    }
    const lost = [...this.ids].filter((id) => !there.has(id)).slice(0, 10)
    const ghosts = [...there].filter((id) => !this.ids.has(id)).slice(0, 10)
    expect({ lost, ghosts }).toEqual({ lost: [], ghosts: [] })
  }
}

test.for(['never', 'always'] as const)(
  'a disk that fills up refuses writes, keeps reading, and lets writes through when there is room (a thread for commits: %s)',
  async (commitThread, { skip }) => {
    const disk = smallDisk('40m')
    if (disk === undefined) {
      skip('mounting a small file system is not permitted here')
      return
    }
    const path = join(disk, 'jobs.db')
    const ballast = join(disk, 'ballast')
    const store = await openLmdbKv({ path, tables: TABLES, lowSpaceBytes: 0, commitThread })
    const filling = new Filling(store)
    for (let round = 0; round < ROUNDS; round += 1) {
      fillDisk(ballast)
      expect(isStoreError(await filling.untilRefused(), 'STORE_FULL')).toBe(true)
      filling.expectWhole(store)
      // Deleting works on a full disk, and makes room by itself.
      await filling.remove(100)
      rmSync(ballast)
      await filling.untilRefused()
      filling.expectWhole(store)
      while (filling.ids.size > 200) await filling.remove(400)
      await store.write((transaction) => {
        transaction.put('alpha', numbered(0), Buffer.alloc(10))
      })
      filling.ids.add(0)
    }
    await store.close()
    const again = await openLmdbKv({ path, tables: TABLES, lowSpaceBytes: 0 })
    filling.expectWhole(again)
    await again.close()
  },
)

test('a quota refuses writes; deleting makes room for others', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const quotaBytes = 12 * 1024 * 1024
  const store = await openLmdbKv({ path, tables: TABLES, quotaBytes })
  const filling = new Filling(store)
  for (let round = 0; round < 5; round += 1) {
    const refusal = await filling.untilRefused()
    expect(refusal).toMatchObject({ code: 'STORE_FULL', message: expect.stringContaining('quota') })
    filling.expectWhole(store)
    const before = filling.ids.size
    while (filling.ids.size > before / 2) await filling.remove(400)
    expect(store.capabilities.statistics?.().fileBytes).toBeLessThanOrEqual(quotaBytes)
  }
  await store.close()
})

test('a store is not made on a full disk, and no part of it is left there', async ({ skip }) => {
  const disk = smallDisk('40m')
  if (disk === undefined) {
    skip('mounting a small file system is not permitted here')
    return
  }
  fillDisk(join(disk, 'ballast'))
  const path = join(disk, 'jobs.db')
  await expect(openLmdbKv({ path, tables: TABLES })).rejects.toMatchObject({ code: 'STORE_FULL' })
  rmSync(join(disk, 'ballast'))
  const store = await openLmdbKv({ path, tables: TABLES, lowSpaceBytes: 0 })
  await store.close()
})

test('a rewrite that finds no room is refused, or stops in its midst, and the store goes on', async ({
  skip,
}) => {
  const disk = smallDisk('40m')
  if (disk === undefined) {
    skip('mounting a small file system is not permitted here')
    return
  }
  const path = join(disk, 'jobs.db')
  const store = await openLmdbKv({ path, tables: TABLES, lowSpaceBytes: 0 })
  const filling = new Filling(store)
  await filling.untilRefused()
  await filling.remove(400)
  // So much must be free beside what is live that no disk of this size has it.
  await expect(store.capabilities.rewrite?.()).rejects.toMatchObject({ code: 'STORE_FULL' })
  filling.expectWhole(store)
  expect(readdirSync(disk).sort()).toEqual(['jobs.db', 'jobs.db-lock', 'jobs.db.owner'])
  await store.close()
})

test('a disk that becomes full during a rewrite ends it, and leaves the store as it was', async ({
  skip,
}) => {
  const disk = smallDisk('300m')
  if (disk === undefined) {
    skip('mounting a small file system is not permitted here')
    return
  }
  const path = join(disk, 'jobs.db')
  const ballast = join(disk, 'ballast')
  const store = await openLmdbKv({ path, tables: TABLES, lowSpaceBytes: 0 })
  for (let id = 0; id < 30_000; id += 500) {
    await store.write((transaction) => {
      for (let n = id; n < id + 500; n += 1) transaction.put('alpha', numbered(n), Buffer.alloc(1_000, n))
    })
  }
  let filled = false
  const rewrite = store.capabilities.rewrite?.({
    onProgress: () => {
      if (!filled) fillDisk(ballast)
      filled = true
    },
  })
  await expect(rewrite).rejects.toMatchObject({ code: 'STORE_FULL' })
  expect(readdirSync(disk).sort()).toEqual(['ballast', 'jobs.db', 'jobs.db-lock', 'jobs.db.owner'])
  await store.write((transaction) => {
    transaction.remove('alpha', numbered(0))
  })
  rmSync(ballast)
  await store.capabilities.rewrite?.()
  expect(store.capabilities.statistics?.().tables).toMatchObject([{ table: 'alpha', rows: 29_999 }])
  await store.close()
})
