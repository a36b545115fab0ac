import { StoreError } from '@saltcod/store-core'

/** Something with a place in an order of time; ids break ties. */
export interface Placed {
  readonly atMs: number
  readonly id: string
}

/** So many are kept at a time, in whatever a file has: a longer listing goes through it again. */
const KEPT = 20_000
const CURSOR = /^(-?\d{1,16})\.(.{1,300})$/s

/**
 * Puts what a walk gives into an order that the file does not have, a stretch at a time, so that memory does not grow
 * with the file: each walk through it keeps the next ones of the order.
 */
export class OrderedRun<T extends Placed> {
  readonly #walk: () => AsyncIterable<T>
  readonly #order: (a: Placed, b: Placed) => number
  readonly #kept: number
  #items: readonly T[] = []
  /** Behind which the kept ones come; undefined before the first walk. */
  #after: Placed | null | undefined
  /** Whether there are none behind the kept ones. */
  #isEnd = false

  constructor(walk: () => AsyncIterable<T>, reverse: boolean, kept: number = KEPT) {
    this.#walk = walk
    this.#order = reverse ? (a, b) => compare(b, a) : compare
    this.#kept = kept
  }

  /** Resolves with the next ones behind a cursor, and the cursor behind them. Throws `INVALID_CURSOR`. */
  async page(
    cursor: string | null,
    limit: number,
  ): Promise<{ readonly items: readonly T[]; readonly next: string | null }> {
    const after = cursor === null ? null : placeOf(cursor)
    let from = this.#indexBehind(after)
    if (from === null || (from + limit > this.#items.length && !this.#isEnd)) {
      await this.#fill(after)
      from = 0
    }
    const items = this.#items.slice(from, from + Math.min(limit, this.#kept))
    const last = items.at(-1)
    const isEnd = this.#isEnd && from + items.length >= this.#items.length
    return { items, next: isEnd || last === undefined ? null : `${last.atMs}.${last.id}` }
  }

  /** Where the next ones behind a place are kept; `null` where they are not. */
  #indexBehind(after: Placed | null): number | null {
    if (this.#after === undefined) return null
    if (after === null) return this.#after === null ? 0 : null
    const index = this.#items.findIndex((item) => this.#order(item, after) === 0)
    return index < 0 ? null : index + 1
  }

  async #fill(after: Placed | null): Promise<void> {
    let kept: T[] = []
    let left = false
    const cut = (): void => {
      kept.sort(this.#order)
      if (kept.length <= this.#kept) return
      kept = kept.slice(0, this.#kept)
      left = true
    }
    for await (const item of this.#walk()) {
      if (after !== null && this.#order(item, after) <= 0) continue
      kept.push(item)
      if (kept.length >= this.#kept * 2) cut()
    }
    cut()
    this.#items = kept
    this.#after = after
    this.#isEnd = !left
  }
}

function compare(a: Placed, b: Placed): number {
  return a.atMs - b.atMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}

function placeOf(cursor: string): Placed {
  const match = CURSOR.exec(cursor)
  if (match !== null) return { atMs: Number(match[1]), id: match[2] ?? '' }
  throw new StoreError('INVALID_CURSOR', `the cursor ${cursor} is none of this listing`, {
    hint: 'use the one that an earlier listing with the same options printed',
  })
}
