import { join } from 'node:path'

import type { KvStore } from '@saltcod/store-core/backend'
import { expect, test } from 'vitest'

import { openLmdbKv } from '../src/index.ts'
import { StoreProcess } from './store-process.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const KILLS = process.env['SALTCOD_LONG'] === undefined ? 15 : 400

/** All ids of a table. */
function idsOf(store: KvStore, table: string): Set<number> {
  const ids = new Set<number>()
  store.read((snapshot) => {
    let after: Uint8Array | undefined
    for (;;) {
      const keys = snapshot.keys(
        table,
        after === undefined ? { limit: 10_000 } : { gt: after, limit: 10_000 },
      )
      for (const key of keys) ids.add(Number(Buffer.from(key).toString()))
      after = keys.at(-1)
      if (keys.length < 10_000) return
    }
  })
  return ids
}

test(`after each of ${KILLS} kills every acknowledged write is there, and no part of a refused one`, {
  timeout: KILLS * 10_000,
}, async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const kept = new Set<number>()
  const refused = new Set<number>()
  for (let kill = 0; kill < KILLS; kill += 1) {
    const writer = new StoreProcess('write', path)
    // Some are killed as they start, the others anywhere in the midst of their work.
    await writer.line('open')
    await writer.count(1 + Math.floor(Math.random() * 200))
    await writer.kill()
    for (const line of writer.lines) {
      const [outcome, id] = line.split(' ')
      if (outcome === 'kept') kept.add(Number(id))
      if (outcome === 'refused') refused.add(Number(id))
    }
    const store = await openLmdbKv({ path, tables: ['alpha', 'beta'] })
    const alpha = idsOf(store, 'alpha')
    const beta = idsOf(store, 'beta')
    await store.close()
    const lost = [...kept].filter((id) => !alpha.has(id))
    const ghosts = [...refused].filter((id) => alpha.has(id) || beta.has(id))
    // A body puts its id into both tables and takes the one 50 before out of the second, unless that came in the background.
    const torn = [...alpha].filter((id) => beta.has(id) === (id % 11 !== 0 && alpha.has(id + 50)))
    expect({ kill, lost, ghosts, torn }).toEqual({ kill, lost: [], ghosts: [], torn: [] })
  }
  expect(kept.size).toBeGreaterThan(KILLS)
})
