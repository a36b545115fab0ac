import { isStoreError } from '@saltcod/store-core'
import {
  type BoltBucket,
  type BoltDamage,
  type BoltKey,
  type BoltRange,
  type BoltRow,
  bytesOf,
} from './bolt-bucket.ts'
import type { BoltSnapshot } from './bolt-snapshot.ts'
import { BoltDamageList } from './damage-list.ts'

const DEFAULT_ROWS = 1_000
const DEFAULT_BYTES = 4 * 1024 * 1024

/** Options of `BoltFile.pieces`. */
export interface BoltPieceOptions {
  /** Begin with this key, or with the first one behind it. */
  readonly from?: BoltKey
  /** Begin behind this key: where an earlier walk ended. */
  readonly after?: BoltKey
  /** At most so many rows in a piece; default 1,000. */
  readonly maxRows?: number
  /** A piece ends with the row at which so many bytes have been read from the file; default 4 MiB. */
  readonly maxBytes?: number
  /**
   * Gets what cannot be read, the way to the bucket too, once its piece counts; without it, the first damage is thrown
   * as `STORE_DAMAGED`. Of a piece it gets 1,000 at most, and then one that stands for the others.
   */
  readonly onDamage?: (damage: BoltDamage) => void
}

/** A key, and whether it is the name of a nested bucket. */
export interface BoltKeyRow {
  readonly key: Buffer
  readonly isBucket: boolean
}

/** Rows that were read in one snapshot, as what a function made of them. */
export interface BoltPiece<T> {
  readonly values: readonly T[]
  /** The transaction that they show; where it differs between pieces the file was changed meanwhile. */
  readonly transaction: bigint
  /** The last key of the piece, to go on behind it. */
  readonly lastKey: Buffer
}

/** What is made of a row; it may be called again for the same row, so it must do nothing but read. */
export type BoltVisit<T> = (row: BoltRow, snapshot: BoltSnapshot) => T

/** How the rows of a bucket are read: with their values, or the keys alone. */
export type RowsOf<R> = (bucket: BoltBucket, range: BoltRange) => Iterable<R>

/** Where a walk in pieces has come to, and how large its next piece may be. */
export class PieceWalk<R extends { readonly key: Buffer }, T> {
  #start: { readonly from?: BoltKey; readonly after?: BoltKey }
  readonly #path: readonly Buffer[]
  readonly #rowsOf: RowsOf<R>
  readonly #visit: (row: R, snapshot: BoltSnapshot) => T
  readonly #options: BoltPieceOptions
  #maxRows: number
  /** Whether the last row was read. */
  isOver = false

  constructor(
    path: readonly Buffer[],
    rowsOf: RowsOf<R>,
    visit: (row: R, snapshot: BoltSnapshot) => T,
    options: BoltPieceOptions,
  ) {
    const { from, after, maxRows = DEFAULT_ROWS } = options
    if (from !== undefined && after !== undefined) throw new TypeError('a walk has from or after, not both')
    this.#start = after === undefined ? { from: from ?? '' } : { after }
    this.#path = path
    this.#rowsOf = rowsOf
    this.#visit = visit
    this.#options = options
    this.#maxRows = maxRows
  }

  /** Reads the next piece. It counts only when it is handed to {@link accept}. */
  readonly read = (snapshot: BoltSnapshot): ReadPiece<T> => {
    const { onDamage, maxBytes = DEFAULT_BYTES } = this.#options
    const damage = new BoltDamageList()
    const values: T[] = []
    const tolerant = onDamage === undefined ? {} : { onDamage: damage.add }
    let last: Buffer | null = null
    let isLast = true
    const bucket = this.#bucketIn(snapshot, onDamage === undefined ? undefined : damage)
    const range = { ...this.#start, ...tolerant }
    for (const row of bucket === undefined ? [] : this.#rowsOf(bucket, range)) {
      values.push(this.#visit(row, snapshot))
      // In a damaged file keys may go back, and a walk that went on there would never end.
      if (last === null || damage.isEmpty || Buffer.compare(row.key, last) > 0) last = row.key
      isLast = false
      if (values.length >= this.#maxRows || snapshot.bytesRead >= maxBytes) break
      isLast = true
    }
    return { values, last, isLast, damage: damage.all, transaction: snapshot.transaction }
  }

  #bucketIn(snapshot: BoltSnapshot, damage: BoltDamageList | undefined): BoltBucket | undefined {
    try {
      return snapshot.bucket(this.#path)
    } catch (error) {
      if (damage === undefined || !isStoreError(error, 'STORE_DAMAGED', 'INVALID_ARGUMENT')) throw error
      damage.add({ path: this.#path, what: error.message, parts: 1 })
      return undefined
    }
  }

  /** Takes a piece that was read in one snapshot. Returns it, or undefined where there was no row any more. */
  accept({ values, last, isLast, damage, transaction }: ReadPiece<T>): BoltPiece<T> | undefined {
    for (const found of damage) this.#options.onDamage?.(found)
    this.isOver = isLast
    this.#maxRows = Math.min(this.#options.maxRows ?? DEFAULT_ROWS, this.#maxRows * 2)
    if (last === null) return undefined
    const lastKey = Buffer.from(last)
    this.#start = { after: lastKey }
    return { values, transaction, lastKey }
  }

  /** The file was changed as a piece was read: the next one is shorter. */
  shrink(): void {
    this.#maxRows = Math.max(1, Math.floor(this.#maxRows / 4))
  }
}

interface ReadPiece<T> {
  readonly values: readonly T[]
  readonly last: Buffer | null
  readonly isLast: boolean
  readonly damage: readonly BoltDamage[]
  readonly transaction: bigint
}

/** A copy of a path, which the caller may change meanwhile. */
export function pathOf(path: readonly BoltKey[]): readonly Buffer[] {
  return path.map((name) => Buffer.from(bytesOf(name)))
}
