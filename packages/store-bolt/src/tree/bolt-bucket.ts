import { isStoreError } from '@saltcod/store-core'
import { PAGE_HEADER_BYTES, pageNumber } from '../pages/meta-page.ts'
import type { PagePlace, TreePage } from '../pages/page.ts'
import { inlinePage, type PageSource } from '../pages/page-source.ts'
import { closedError, damagedError, valueTooLongError } from '../refusal.ts'
import type { BucketRoots } from './bucket-roots.ts'
import { type CursorStart, childOf, childWith, firstBehind, MAX_DEPTH, TreeCursor } from './tree-cursor.ts'

/** Buckets that are nested deeper are not read: nobody nests them so, and a circle has no end. */
export const MAX_NESTING: number = 32

/** A page counts its elements in 16 bits. */
const MOST_ELEMENTS = 0x1_0000

/** A name of a bucket, or a key: bytes, or a text in UTF-8. */
export type BoltKey = string | Uint8Array

/** A row of a bucket: a key with its value, or the name of a nested bucket with that bucket. */
export type BoltRow =
  | { readonly key: Buffer; readonly value: Buffer; readonly bucket: null }
  | { readonly key: Buffer; readonly value: null; readonly bucket: BoltBucket }

/** A part of a bucket that cannot be read. */
export interface BoltDamage {
  /** Names of the buckets that lead there. */
  readonly path: readonly Buffer[]
  /** What is wrong, with the page. */
  readonly what: string
  /** 1; more where there are too many parts to tell of each. */
  readonly parts: number
}

/** Which rows of a bucket are wanted. */
export interface BoltRange {
  /** Begin with this key, or with the first one behind it where it is not there. */
  readonly from?: BoltKey
  /** Begin with the first key behind this one. */
  readonly after?: BoltKey
  /** At most so many rows; default: all. */
  readonly limit?: number
  /** Gets what cannot be read, and the rest is given; without it, the first damage is thrown as `STORE_DAMAGED`. */
  readonly onDamage?: (damage: BoltDamage) => void
}

/** What a snapshot lends to its buckets. */
export interface BucketContext {
  readonly source: PageSource
  readonly maxValueBytes: number
  readonly ended: () => boolean
  /** The buckets that were met, and by which rows. */
  readonly roots: BucketRoots
}

/**
 * A bucket of one snapshot. All that it gives out (keys, values, buckets) are views that must not be written to;
 * buckets can be asked only as long as the snapshot lasts, and throw `STORE_CLOSED` afterwards.
 */
export class BoltBucket {
  /** Page of its root, or null where the bucket lies inline, in the value of its row. */
  readonly rootPage: number | null
  readonly #context: BucketContext
  readonly #parent: BoltBucket | null
  readonly #name: Buffer | null
  /** Its root page and its sequence, and behind them the page of an inline bucket. */
  readonly #value: PagePlace
  #path: readonly Buffer[] | undefined

  constructor(
    context: BucketContext,
    parent: BoltBucket | null,
    name: Buffer | null,
    root: number,
    value: PagePlace,
  ) {
    this.#context = context
    this.#parent = parent
    this.#name = name
    this.#value = value
    this.rootPage = root === 0 && parent !== null ? null : root
  }

  /** Names of the buckets that lead here; empty for the root, which holds the others. */
  get path(): readonly Buffer[] {
    this.#path ??= [...(this.#parent?.path ?? []), ...(this.#name === null ? [] : [this.#name])]
    return this.#path
  }

  /** What the file counts by `NextSequence`. */
  get sequence(): bigint {
    return this.#value.block.view.getBigUint64(this.#value.start + 8, true)
  }

  /**
   * Gives the rows in the order of their keys. Reads a page when it comes to it. Throws `STORE_DAMAGED` (unless there
   * is an `onDamage`), `STORE_CLOSED`, and `INVALID_ARGUMENT` for a value that is longer than `maxValueBytes`.
   */
  *rows(range: BoltRange = {}): Generator<BoltRow, void, undefined> {
    const cursor = this.#cursor(range)
    const limit = range.limit ?? Number.POSITIVE_INFINITY
    for (let given = 0; given < limit && cursor?.next() === true; ) {
      this.#refuseEnded()
      const row = this.#rowOr(cursor, range.onDamage)
      if (row === undefined) continue
      yield row
      given += 1
    }
  }

  /** Gives the keys alone, in order, and reads no value. Throws what {@link rows} throws of pages. */
  *keys(
    range: BoltRange = {},
  ): Generator<{ readonly key: Buffer; readonly isBucket: boolean }, void, undefined> {
    const cursor = this.#cursor(range)
    const limit = range.limit ?? Number.POSITIVE_INFINITY
    for (let given = 0; given < limit && cursor?.next() === true; given += 1) {
      this.#refuseEnded()
      yield { key: cursor.page.key(cursor.index), isBucket: cursor.page.isBucket(cursor.index) }
    }
  }

  /** Returns the row under a key, or undefined. Throws what {@link rows} throws. */
  row(key: BoltKey): BoltRow | undefined {
    const wanted = bytesOf(key)
    let page = this.#root()
    for (let depth = 0; !page.isLeaf; depth += 1) {
      if (depth >= MAX_DEPTH) throw this.#damaged(`page ${page.id} lies ${depth} levels deep`)
      page = childOf(this.#context.source, page, childWith(page, wanted))
    }
    const index = firstBehind(page, wanted, false)
    return index < page.count && page.compareKey(index, wanted) === 0 ? this.#rowOf(page, index) : undefined
  }

  /** Returns the value under a key, or undefined where there is none or a bucket. Throws what {@link rows} throws. */
  get(key: BoltKey): Buffer | undefined {
    return this.row(key)?.value ?? undefined
  }

  /**
   * Returns the nested bucket of a name, or undefined where there is none or a value. Throws what {@link rows} throws.
   */
  bucket(name: BoltKey): BoltBucket | undefined {
    return this.row(name)?.bucket ?? undefined
  }

  /** Begins a walk; undefined where the root cannot be read, and somebody was told. */
  #cursor(range: BoltRange): TreeCursor | undefined {
    const start = startOf(range)
    const { onDamage } = range
    const tell = onDamage && ((what: string): void => onDamage({ path: this.#copiedPath(), what, parts: 1 }))
    try {
      return new TreeCursor(this.#context.source, this.#root(), start, tell)
    } catch (error) {
      this.#toldOr(error, onDamage)
      return undefined
    }
  }

  /** Reads the page of the root. */
  #root(): TreePage {
    this.#refuseEnded()
    if (this.rootPage !== null) return this.#context.source.treePage(this.rootPage)
    const page = inlinePage(this.#value)
    if (typeof page === 'string') throw this.#damaged(`the page ${page}`)
    return page
  }

  #rowOr({ page, index }: TreeCursor, onDamage: BoltRange['onDamage']): BoltRow | undefined {
    try {
      return this.#rowOf(page, index)
    } catch (error) {
      this.#toldOr(error, onDamage)
      return undefined
    }
  }

  #rowOf(page: TreePage, index: number): BoltRow {
    const key = page.key(index)
    const { maxValueBytes } = this.#context
    const bytes = page.valueBytes(index)
    if (bytes > maxValueBytes) {
      throw valueTooLongError(this.#context.source.path, `key 0x${key.toString('hex')}`, bytes, maxValueBytes)
    }
    if (page.isBucket(index)) return { key, value: null, bucket: this.#nested(page, key, index) }
    return { key, value: page.value(index), bucket: null }
  }

  #nested(page: TreePage, name: Buffer, index: number): BoltBucket {
    const value = page.valuePlace(index)
    const root = value.length < PAGE_HEADER_BYTES ? undefined : pageNumber(value.block.view, value.start)
    if (root === undefined) {
      throw this.#damaged(`the bucket ${hexName(name)} of page ${page.id} has no root`)
    }
    if (!this.#mayHold(root)) {
      throw this.#damaged(
        `the bucket ${hexName(name)} of page ${page.id} is nested without end, or more than ${MAX_NESTING} deep`,
      )
    }
    if (this.#isInline) {
      throw this.#damaged(
        `the inline bucket ${hexName(this.#name)} has a bucket in it, ${hexName(name)}, as no inline one has`,
      )
    }
    if (root !== 0) this.#refuseSecondReference(page, name, index, root)
    return new BoltBucket(this.#context, this, name, root, value)
  }

  /** One bucket that many rows lead to would be read as often as that, and those in it as often again. */
  #refuseSecondReference(page: TreePage, name: Buffer, index: number, root: number): void {
    const place = page.id * MOST_ELEMENTS + index
    const first = this.#context.roots.firstPlace(root, place)
    if (first === place) return
    const other = Math.floor(first / MOST_ELEMENTS)
    throw this.#damaged(
      `the bucket ${hexName(name)} of page ${page.id} has the root page ${root}, as one of page ${other} has`,
    )
  }

  get #isInline(): boolean {
    return this.rootPage === null
  }

  /** Whether a bucket of that root is none of those that lead here, and those are not too many. */
  #mayHold(root: number): boolean {
    let nesting = 0
    for (let bucket: BoltBucket | null = this; bucket !== null; bucket = bucket.#parent) {
      nesting += 1
      if (bucket.rootPage === root || nesting > MAX_NESTING) return false
    }
    return true
  }

  /** Tells of damage where somebody wants to be told, and throws every other error. */
  #toldOr(error: unknown, onDamage: BoltRange['onDamage']): void {
    if (onDamage === undefined || !isStoreError(error, 'STORE_DAMAGED', 'INVALID_ARGUMENT')) throw error
    onDamage({ path: this.#copiedPath(), what: error.message, parts: 1 })
  }

  /** Whoever keeps what was told keeps no memory of pages, which may be used again. */
  #copiedPath(): Buffer[] {
    return this.path.map((name) => Buffer.from(name))
  }

  #refuseEnded(): void {
    if (this.#context.ended()) throw closedError(this.#context.source.path)
  }

  #damaged(what: string): Error {
    return damagedError(this.#context.source.path, what)
  }
}

function hexName(name: Buffer | null): string {
  return `0x${name?.toString('hex') ?? ''}`
}

/** The bytes of a key or of a name. */
export function bytesOf(key: BoltKey): Buffer {
  if (typeof key === 'string') return Buffer.from(key)
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength)
}

function startOf({ from, after }: BoltRange): CursorStart | null {
  if (from !== undefined && after !== undefined) throw new TypeError('a range has from or after, not both')
  if (after !== undefined) return { key: bytesOf(after), behind: true }
  return from === undefined ? null : { key: bytesOf(from), behind: false }
}
