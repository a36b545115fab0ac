import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { KvStore } from '@saltcod/store-core/backend'
import { expect, test } from 'vitest'
import { IS_LONG } from '../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { openLmdbKv } from '../../src/index.ts'
import { StoreProcess } from '../store-process.ts'

const KILLS = IS_LONG ? 400 : 4
const TABLES = ['alpha', 'beta']

/** All ids of a table. */
function idsOf(store: KvStore, table: string): Set<number> {
  const ids = new Set<number>()
  let after: Uint8Array = Buffer.from('0')
  for (;;) {
    const keys = store.read((snapshot) => snapshot.keys(table, { gt: after, limit: 10_000 }))
    for (const key of keys) ids.add(Number(Buffer.from(key).toString()))
    const last = keys.at(-1)
    if (last === undefined) return ids
    after = last
  }
}

test(`${KILLS} kills while a store is rewritten and written leave one good store and nothing else`, {
  timeout: KILLS * 10_000,
}, async () => {
  const directory = temporaryDirectory()
  const path = join(directory, 'jobs.db')
  const kept = new Set<number>()
  const refused = new Set<number>()
  let cut = 0
  let rewritten = 0
  // Whether a kill falls into a rewrite is chance, so there are more of them until one has.
  for (let kill = 0; kill < KILLS || ((cut === 0 || rewritten === 0) && kill < 5 * KILLS); kill += 1) {
    const process = new StoreProcess('rewrite', path)
    await process.line('open')
    // Some are killed at any moment, the others when a rewrite has come to its end or is about to.
    const moment = Math.random()
    if (moment < 0.4) await process.count(1 + Math.floor(Math.random() * 200))
    else await process.line(moment < 0.7 ? 'rewritten' : 'copied')
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 100))
    await process.kill()
    for (const line of process.lines) {
      const [outcome, id] = line.split(' ')
      if (outcome === 'kept') kept.add(Number(id))
      if (outcome === 'refused') refused.add(Number(id))
      if (outcome === 'rewritten') rewritten += 1
      expect(outcome).not.toBe('failed')
    }
    const notices: string[] = []
    const store = await openLmdbKv({ path, tables: TABLES, onNotice: ({ code }) => notices.push(code) })
    if (notices.includes('REWRITE_CUT_SHORT')) cut += 1
    expect(readdirSync(directory).sort()).toEqual(['jobs.db', 'jobs.db-lock', 'jobs.db.owner'])
    const alpha = idsOf(store, 'alpha')
    const beta = idsOf(store, 'beta')
    await store.close()
    const lost = [...kept].filter((id) => !alpha.has(id))
    const ghosts = [...refused].filter((id) => alpha.has(id) || beta.has(id))
    // A body puts its id into both tables and takes the one 50 before out of the second, unless that one comes
    // later, as those in the background may.
    const torn = [...alpha].filter((id) => id % 11 !== 0 && beta.has(id) === alpha.has(id + 50))
    expect({ kill, lost, ghosts, torn }).toEqual({ kill, lost: [], ghosts: [], torn: [] })
  }
  expect(kept.size).toBeGreaterThan(KILLS)
  expect({ cut: cut > 0, rewritten: rewritten > 0 }).toEqual({ cut: true, rewritten: true })
})
