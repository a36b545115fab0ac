import { createHash } from 'node:crypto'
import { requireOptionalFlag } from '../arguments/argument-types.ts'
import { checkInteger } from '../arguments/limits.ts'
import { StoreError } from '../errors.ts'
import { type KvRow, type KvSnapshot, MAX_KEY_BYTES } from '../kv/contract.ts'
import { jsonText } from '../kv/json-text.ts'
import { endOfTuple, keyToHex, tuple } from '../kv/tuple.ts'
import type { Page, PageCursor, PageRequest } from '../model/page.ts'
import { type DamagedRow, damagedRowAt } from './quarantine.ts'
import type { TableName } from './tables.ts'

/** The most rows that one page examines, so that a filter without an index cannot hold the store up. */
const MAX_EXAMINED_ROWS = 2_000

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1_000
/** Two ids of their greatest length and a time fit in. */
const MAX_TAIL_BYTES = 400
/** What is longer is in no key, since every part of a key has its limit. */
const LONGEST_PREFIX_BYTES = MAX_KEY_BYTES - MAX_TAIL_BYTES - 1

/** Stretches of a table to be read page by page, as one. */
export interface Listing<T> {
  readonly table: TableName
  /** Each stretch is what begins with a prefix; several are merged in the order of what stands behind it. */
  readonly prefixes: readonly Uint8Array[]
  /** Narrower bounds behind the prefix. */
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

/** A place in a listing, as what stands behind the prefix of a row. */
interface Place {
  readonly tail: Uint8Array
  /** Whether the page lies before the place instead of behind it, in the direction of the listing. */
  readonly back: boolean
  /** Whether the row at the place belongs to the page. */
  readonly inclusive: boolean
}

/** Reads one page of a listing. Throws `INVALID_CURSOR` or `INVALID_ARGUMENT`. */
export function readPage<T>(
  snapshot: KvSnapshot,
  listing: Listing<T>,
  request: PageRequest,
): PageWithDamage<T> {
  const { limit = DEFAULT_LIMIT } = request
  checkInteger('limit', limit, 1, MAX_LIMIT)
  requireOptionalFlag('reverse', request.reverse)
  let known: string | undefined
  const fingerprint = (): string => {
    known ??= fingerprintOf(listing.query, request.reverse ?? false)
    return known
  }
  const start = request.cursor == null ? null : decodeCursor(request.cursor, fingerprint())
  const back = start?.back ?? false
  const descending = (request.reverse ?? false) !== back
  const walk = new Walk(snapshot, listing, descending, start, limit)
  walk.run()

  const onward = walk.ended || walk.last === null ? null : { tail: walk.last, back, inclusive: false }
  const returning = start === null ? null : placeToReturn(start, walk.first)
  const encode = (place: Place | null) => (place === null ? null : encodeCursor(fingerprint(), place))
  if (back) walk.items.reverse()
  return {
    page: {
      items: walk.items,
      next: encode(back ? returning : onward),
      previous: encode(back ? onward : returning),
      examined: walk.examined,
      quarantined: walk.quarantined,
    },
    damaged: walk.damaged,
  }
}

/** The place from which the other direction shows what lies before this page; an empty page has no first row. */
function placeToReturn(start: Place, first: Uint8Array | null): Place {
  if (first !== null) return { tail: first, back: !start.back, inclusive: false }
  return { tail: start.tail, back: !start.back, inclusive: !start.inclusive }
}

interface FoundRow extends KvRow {
  readonly tail: Uint8Array
}

/** One walk along the rows until the page is full, the stretches end, or enough rows were examined. */
class Walk<T> {
  readonly items: T[] = []
  readonly quarantined: string[] = []
  readonly damaged: DamagedRow[] = []
  examined = 0
  ended = false
  first: Uint8Array | null = null
  last: Uint8Array | null
  #inclusive: boolean
  readonly #snapshot: KvSnapshot
  readonly #listing: Listing<T>
  readonly #descending: boolean
  readonly #limit: number

  constructor(
    snapshot: KvSnapshot,
    listing: Listing<T>,
    descending: boolean,
    start: Place | null,
    limit: number,
  ) {
    this.#snapshot = snapshot
    this.#listing = listing
    this.#descending = descending
    this.#limit = limit
    this.last = start?.tail ?? null
    this.#inclusive = start?.inclusive ?? false
  }

  run(): void {
    while (!this.ended && this.items.length < this.#limit && this.examined < MAX_EXAMINED_ROWS) {
      const wanted = Math.min(this.#limit - this.items.length, MAX_EXAMINED_ROWS - this.examined)
      const rows = this.#rows(wanted + 1)
      this.ended = rows.length <= wanted
      for (const row of rows.slice(0, wanted)) this.#take(row)
    }
  }

  #rows(limit: number): readonly FoundRow[] {
    const { prefixes } = this.#listing
    const [only] = prefixes
    if (only !== undefined && prefixes.length === 1) return this.#stretch(only, limit)
    const sign = this.#descending ? -1 : 1
    return prefixes
      .flatMap((prefix) => this.#stretch(prefix, limit))
      .sort((a, b) => sign * Buffer.compare(a.tail, b.tail))
      .slice(0, limit)
  }

  #stretch(prefix: Uint8Array, limit: number): FoundRow[] {
    if (prefix.length > LONGEST_PREFIX_BYTES) return []
    const { table } = this.#listing
    const { low, high } = boundsOf(prefix, this.#listing)
    const place = this.last === null ? null : tuple(prefix, this.last)
    const rows = this.#descending
      ? this.#snapshot.range(table, {
          ...low,
          ...(place === null ? high : this.#inclusive ? { lte: place } : { lt: place }),
          reverse: true,
          limit,
        })
      : this.#snapshot.range(table, {
          ...(place === null ? low : this.#inclusive ? { gte: place } : { gt: place }),
          ...high,
          limit,
        })
    return rows.map(({ key, value }) => ({ key, value, tail: key.subarray(prefix.length) }))
  }

  /** A damaged key names no record, so it stands for itself. */
  #nameOf(key: Uint8Array, value: Uint8Array): string {
    try {
      return this.#listing.idOf(key, value)
    } catch (error) {
      if (damagedRowAt(error, this.#listing.table, key) === null) throw error
      return `0x${keyToHex(key)}`
    }
  }

  #take({ key, value, tail }: FoundRow): void {
    this.examined += 1
    this.first ??= tail
    this.last = tail
    this.#inclusive = false
    try {
      const item = this.#listing.load(key, value)
      if (item !== undefined) this.items.push(item)
    } catch (error) {
      const damaged = damagedRowAt(error, this.#listing.table, key)
      if (damaged === null) throw error
      this.damaged.push(damaged)
      this.quarantined.push(this.#nameOf(key, value))
    }
  }
}

/** A listing of a whole table has no bounds; an empty key is none. */
function boundsOf(
  prefix: Uint8Array,
  { gte, lt }: Listing<unknown>,
): { low: { gte?: Uint8Array }; high: { lt?: Uint8Array } } {
  const low = gte === undefined ? prefix : tuple(prefix, gte)
  const high = lt === undefined ? (prefix.length === 0 ? undefined : endOfTuple(prefix)) : tuple(prefix, lt)
  return { low: low.length === 0 ? {} : { gte: low }, high: high === undefined ? {} : { lt: high } }
}

function fingerprintOf(query: unknown, reverse: boolean): string {
  const text = jsonText('query', [query, reverse])
  return createHash('sha256').update(text).digest('base64url').slice(0, 8)
}

/** The letter of a cursor by direction; a capital one includes the row at its place. */
const LETTERS = { f: [false, false], F: [false, true], b: [true, false], B: [true, true] } as const

function encodeCursor(fingerprint: string, { tail, back, inclusive }: Place): PageCursor {
  const letter = back ? 'b' : 'f'
  return `${fingerprint}${inclusive ? letter.toUpperCase() : letter}${Buffer.from(tail).toString('base64url')}`
}

function decodeCursor(cursor: PageCursor, fingerprint: string): Place {
  if (typeof cursor !== 'string') throw foreignCursor()
  const letter = cursor[8] ?? ''
  const tail = Buffer.from(cursor.slice(9), 'base64url')
  if (!cursor.startsWith(fingerprint) || !Object.hasOwn(LETTERS, letter)) throw foreignCursor()
  if (tail.length === 0 || tail.length > MAX_TAIL_BYTES) throw foreignCursor()
  const [back, inclusive] = LETTERS[letter as keyof typeof LETTERS]
  return { tail, back, inclusive }
}

function foreignCursor(): StoreError {
  return new StoreError('INVALID_CURSOR', 'the page cursor does not belong to this query', {
    hint: 'repeat the query exactly, or begin without a cursor',
  })
}
