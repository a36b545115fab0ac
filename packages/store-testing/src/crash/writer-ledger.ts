import assert from 'node:assert/strict'

import type { KvStore } from '@saltcod/store-core/backend'

/** The tables of the stores that the writer of the crash suite writes. */
export const WRITER_TABLES: readonly string[] = ['alpha', 'beta']

/** What a writer said of its numbers. */
export class WriterLedger {
  readonly kept: Set<number> = new Set()
  readonly refused: Set<number> = new Set()
  /** Codes with which writes were rejected. */
  readonly codes: Set<string> = new Set()

  /** Takes note of lines that the writer said. */
  note(lines: readonly string[]): void {
    for (const line of lines) {
      const [outcome = '', id] = line.split(' ')
      if (outcome === 'kept') this.kept.add(Number(id))
      else if (outcome === 'refused') this.refused.add(Number(id))
      else if (/^[A-Z_]+$/.test(outcome)) this.codes.add(outcome)
    }
  }

  /**
   * Compares a store with it: what was acknowledged is there, what was refused is not, and nothing is there in part.
   */
  compare(store: KvStore, place: string): void {
    const alpha = idsOf(store, 'alpha')
    const beta = idsOf(store, 'beta')
    const lost = [...this.kept].filter((id) => !alpha.has(id))
    const ghosts = [...this.refused].filter((id) => alpha.has(id) || beta.has(id))
    // A body puts its id into both tables and takes the one 50 before out of the second, unless that came in the
    // background.
    const torn = [...alpha].filter((id) => beta.has(id) === (id % 11 !== 0 && alpha.has(id + 50)))
    assert.deepEqual({ place, lost, ghosts, torn }, { place, lost: [], ghosts: [], torn: [] })
  }
}

/** All ids of a table. */
function idsOf(store: KvStore, table: string): Set<number> {
  const ids = new Set<number>()
  store.read((snapshot) => {
    let after: Uint8Array | undefined
    for (;;) {
      const bound = after === undefined ? {} : { gt: after }
      const keys = snapshot.keys(table, { ...bound, limit: 10_000 })
      for (const key of keys) ids.add(Number(Buffer.from(key).toString()))
      after = keys.at(-1)
      if (keys.length < 10_000) return
    }
  })
  return ids
}
