import { type BoltDamage, type BoltKey, type BoltRow, bytesOf } from './bolt-bucket.ts'
import type { BoltSnapshot } from './bolt-snapshot.ts'

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
  /** Gets what cannot be read, once its piece counts; without it, the first damage is thrown as `STORE_DAMAGED`. */
  readonly onDamage?: (damage: BoltDamage) => void
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

/** Where a walk in pieces has come to, and how large its next piece may be. */
export class PieceWalk<T> {
  #start: { readonly from?: BoltKey; readonly after?: BoltKey }
  readonly #path: readonly BoltKey[]
  readonly #visit: BoltVisit<T>
  readonly #options: BoltPieceOptions
  #maxRows: number
  /** Whether the last row was read. */
  isOver = false

  constructor(path: readonly BoltKey[], visit: BoltVisit<T>, options: BoltPieceOptions) {
    const { from, after, maxRows = DEFAULT_ROWS } = options
    if (from !== undefined && after !== undefined) throw new TypeError('a walk has from or after, not both')
    this.#start = after === undefined ? { from: from ?? '' } : { after }
    this.#path = path
    this.#visit = visit
    this.#options = options
    this.#maxRows = maxRows
  }

  /** Reads the next piece. It counts only when it is handed to {@link accept}. */
  readonly read = (snapshot: BoltSnapshot): ReadPiece<T> => {
    const { onDamage, maxBytes = DEFAULT_BYTES } = this.#options
    const damage: BoltDamage[] = []
    const values: T[] = []
    const tolerant = onDamage === undefined ? {} : { onDamage: (found: BoltDamage) => damage.push(found) }
    let last: Buffer | null = null
    let isLast = true
    for (const row of snapshot.bucket(this.#path)?.rows({ ...this.#start, ...tolerant }) ?? []) {
      values.push(this.#visit(row, snapshot))
      // In a damaged file keys may go back, and a walk that went on there would never end.
      if (last === null || damage.length === 0 || Buffer.compare(row.key, last) > 0) last = row.key
      isLast = false
      if (values.length >= this.#maxRows || snapshot.bytesRead >= maxBytes) break
      isLast = true
    }
    return { values, last, isLast, damage, transaction: snapshot.transaction }
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
