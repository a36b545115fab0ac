import { createHash } from 'node:crypto'
import { StoreError } from '../errors.ts'
import type { KvSnapshot } from '../kv/contract.ts'
import { endOfTuple } from '../kv/tuple.ts'
import type { Page, PageCursor, PageRequest } from '../model/page.ts'
import { checkInteger } from './limits.ts'
import { type DamagedRow, damagedRow } from './quarantine.ts'
import type { TableName } from './tables.ts'

/** The most rows that one page examines, so that a filter without an index cannot hold the store up. */
export const MAX_EXAMINED_ROWS: number = 2_000

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1_000

/** A stretch of a table to be read page by page. */
export interface Listing<T> {
  readonly table: TableName
  /** Every key of the stretch begins with it. */
  readonly prefix: Uint8Array
  /** Narrower bounds within the stretch. */
  readonly gte?: Uint8Array
  readonly lt?: Uint8Array
  /** What makes two queries the same, so that a cursor of another one is refused. */
  readonly query: unknown
  /** Turns a row into an item; `undefined` passes it over. */
  readonly load: (key: Uint8Array, value: Uint8Array) => T | undefined
  /** Names the record that a row belongs to, for saying which one was passed over as damaged. */
  readonly idOf: (key: Uint8Array, value: Uint8Array) => string
}

/** A page with the damaged rows that were met, so that the caller can put them into quarantine. */
export interface PageWithDamage<T> {
  readonly page: Page<T>
  readonly damaged: readonly DamagedRow[]
}

interface CursorParts {
  readonly key: Uint8Array
  /** Whether the page lies before the key instead of behind it, in the direction of the listing. */
  readonly back: boolean
}

/** Reads one page of a listing. Throws `INVALID_CURSOR` or `INVALID_ARGUMENT`. */
export function readPage<T>(
  snapshot: KvSnapshot,
  listing: Listing<T>,
  request: PageRequest,
): PageWithDamage<T> {
  const limit = request.limit ?? DEFAULT_LIMIT
  checkInteger('limit', limit, 1, MAX_LIMIT)
  const fingerprint = fingerprintOf(listing.query, request.reverse ?? false)
  const cursor = request.cursor == null ? null : decodeCursor(request.cursor, fingerprint)
  if (
    cursor !== null &&
    Buffer.compare(cursor.key.subarray(0, listing.prefix.length), listing.prefix) !== 0
  ) {
    throw foreignCursor()
  }
  const back = cursor?.back ?? false
  const descending = (request.reverse ?? false) !== back
  const walk = new Walk(snapshot, listing, descending, cursor?.key ?? null, limit)
  walk.run()

  const onward = walk.ended ? null : walk.last
  const backward = cursor === null ? null : (walk.first ?? cursor.key)
  const encode = (key: Uint8Array | null, toBack: boolean) =>
    key === null ? null : encodeCursor(fingerprint, { key, back: toBack })
  if (back) walk.items.reverse()
  return {
    page: {
      items: walk.items,
      next: back ? encode(backward, false) : encode(onward, false),
      previous: back ? encode(onward, true) : encode(backward, true),
      examined: walk.examined,
      quarantined: walk.quarantined,
    },
    damaged: walk.damaged,
  }
}

/** One walk along the keys until the page is full, the stretch ends, or enough rows were examined. */
class Walk<T> {
  readonly items: T[] = []
  readonly quarantined: string[] = []
  readonly damaged: DamagedRow[] = []
  examined = 0
  ended = false
  first: Uint8Array | null = null
  last: Uint8Array | null
  readonly #snapshot: KvSnapshot
  readonly #listing: Listing<T>
  readonly #descending: boolean
  readonly #limit: number

  constructor(
    snapshot: KvSnapshot,
    listing: Listing<T>,
    descending: boolean,
    start: Uint8Array | null,
    limit: number,
  ) {
    this.#snapshot = snapshot
    this.#listing = listing
    this.#descending = descending
    this.#limit = limit
    this.last = start
  }

  run(): void {
    while (!this.ended && this.items.length < this.#limit && this.examined < MAX_EXAMINED_ROWS) {
      const wanted = Math.min(this.#limit - this.items.length, MAX_EXAMINED_ROWS - this.examined)
      const rows = this.#rows(wanted + 1)
      this.ended = rows.length <= wanted
      for (const { key, value } of rows.slice(0, wanted)) this.#take(key, value)
    }
  }

  #rows(limit: number) {
    const { table } = this.#listing
    const { low, high } = boundsOf(this.#listing)
    const from = this.last
    if (this.#descending) {
      return this.#snapshot.range(table, {
        ...low,
        ...(from === null ? high : { lt: from }),
        reverse: true,
        limit,
      })
    }
    return this.#snapshot.range(table, { ...(from === null ? low : { gt: from }), ...high, limit })
  }

  #take(key: Uint8Array, value: Uint8Array): void {
    this.examined += 1
    this.first ??= key
    this.last = key
    try {
      const item = this.#listing.load(key, value)
      if (item !== undefined) this.items.push(item)
    } catch (error) {
      const damaged = damagedRow(error)
      if (damaged === null) throw error
      this.damaged.push(damaged)
      this.quarantined.push(this.#listing.idOf(key, value))
    }
  }
}

/** A listing of a whole table has no bounds; an empty key is none. */
function boundsOf({ prefix, gte = prefix, lt }: Listing<unknown>): {
  low: { gte?: Uint8Array }
  high: { lt?: Uint8Array }
} {
  const end = lt ?? (prefix.length === 0 ? undefined : endOfTuple(prefix))
  return { low: gte.length === 0 ? {} : { gte }, high: end === undefined ? {} : { lt: end } }
}

function fingerprintOf(query: unknown, reverse: boolean): string {
  const text = JSON.stringify([query, reverse])
  return createHash('sha256').update(text).digest('base64url').slice(0, 8)
}

function encodeCursor(fingerprint: string, { key, back }: CursorParts): PageCursor {
  return `${fingerprint}${back ? 'b' : 'f'}${Buffer.from(key).toString('base64url')}`
}

function decodeCursor(cursor: PageCursor, fingerprint: string): CursorParts {
  const direction = cursor[8]
  if (!cursor.startsWith(fingerprint) || (direction !== 'b' && direction !== 'f') || cursor.length > 4_000) {
    throw foreignCursor()
  }
  return { key: Buffer.from(cursor.slice(9), 'base64url'), back: direction === 'b' }
}

function foreignCursor(): StoreError {
  return new StoreError('INVALID_CURSOR', 'the page cursor does not belong to this query', {
    hint: 'repeat the query exactly, or begin without a cursor',
  })
}
