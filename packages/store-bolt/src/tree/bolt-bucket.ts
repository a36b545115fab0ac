import { isStoreError } from '@saltcod/store-core'
import { PAGE_HEADER_BYTES, pageNumber } from '../pages/meta-page.ts'
import type { TreePage } from '../pages/page.ts'
import { inlinePage, type PageSource } from '../pages/page-source.ts'
import { closedError, damagedError, valueTooLongError } from '../refusal.ts'

/** A tree is as deep as this only where its pages refer to each other in a circle. */
export const MAX_DEPTH: number = 64

/** Buckets are nested as deep as this only where they refer to each other in a circle. */
export const MAX_NESTING: number = 32

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

/** Where a bucket lies. */
export interface BucketPlace {
  readonly root: number
  readonly sequence: bigint
  readonly inline: Buffer | null
  readonly above: readonly number[]
}

/** What a snapshot lends to its buckets. */
export interface BucketContext {
  readonly source: PageSource
  readonly maxValueBytes: number
  readonly ended: () => boolean
}

/**
 * A bucket of one snapshot. All that it gives out (keys, values, buckets) are views that must not be written to;
 * buckets can be asked only as long as the snapshot lasts, and throw `STORE_CLOSED` afterwards.
 */
export class BoltBucket {
  /** Names of the buckets that lead here; empty for the root, which holds the others. */
  readonly path: readonly Buffer[]
  /** What the file counts by `NextSequence`. */
  readonly sequence: bigint
  /** Page of its root, or null where the bucket lies inline, in the value of its row. */
  readonly rootPage: number | null
  readonly #context: BucketContext
  readonly #inline: Buffer | null
  /** Pages of the roots that lead here: a bucket that is in itself would have no end. */
  readonly #above: readonly number[]

  constructor(context: BucketContext, path: readonly Buffer[], place: BucketPlace) {
    this.#context = context
    this.path = path
    this.sequence = place.sequence
    this.rootPage = place.inline === null ? place.root : null
    this.#inline = place.inline
    this.#above = place.above
  }

  /**
   * Gives the rows in the order of their keys. Reads a page when it comes to it. Throws `STORE_DAMAGED` (unless there
   * is an `onDamage`), `STORE_CLOSED`, and `INVALID_ARGUMENT` for a value that is longer than `maxValueBytes`.
   */
  *rows(range: BoltRange = {}): Generator<BoltRow, void, undefined> {
    const limit = range.limit ?? Number.POSITIVE_INFINITY
    let given = 0
    for (const { page, index } of this.#elements(range)) {
      if (given >= limit) return
      const row = this.#rowOr(page, index, range.onDamage)
      if (row === undefined) continue
      yield row
      given += 1
    }
  }

  /** Gives the keys alone, in order, and reads no value. Throws what {@link rows} throws of pages. */
  *keys(
    range: BoltRange = {},
  ): Generator<{ readonly key: Buffer; readonly isBucket: boolean }, void, undefined> {
    const limit = range.limit ?? Number.POSITIVE_INFINITY
    let given = 0
    for (const { page, index } of this.#elements(range)) {
      if (given >= limit) return
      yield { key: page.key(index), isBucket: page.isBucket(index) }
      given += 1
    }
  }

  /** Returns the row under a key, or undefined. Throws what {@link rows} throws. */
  row(key: BoltKey): BoltRow | undefined {
    const wanted = bytesOf(key)
    let page = this.#rootOf()
    for (let depth = 0; !page.isLeaf; depth += 1) {
      if (depth >= MAX_DEPTH) throw this.#damaged(`page ${page.id} lies ${depth} levels deep`)
      page = this.#child(page, Math.max(0, firstBehind(page, wanted, true) - 1))
    }
    const index = firstBehind(page, wanted, false)
    return index < page.count && page.key(index).equals(wanted) ? this.#row(page, index) : undefined
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

  /** Reads the page of the root. */
  #rootOf(): TreePage {
    this.#refuseEnded()
    if (this.#inline === null) return this.#context.source.treePage(this.rootPage ?? 0)
    const page = inlinePage(this.#inline)
    if (typeof page === 'string') throw this.#damaged(`the page ${page}`)
    return page
  }

  #child(page: TreePage, index: number): TreePage {
    if (page.count === 0) throw this.#damaged(`page ${page.id} is a branch without children`)
    const id = page.child(index)
    if (id === undefined) throw this.#damaged(`page ${page.id} names a page that no file can have`)
    const child = this.#context.source.treePage(id)
    if (child.count === 0) throw this.#damaged(`page ${id} is empty`)
    return child
  }

  /**
   * Walks the leaves. No page is visited twice: there are no more visits than pages, and each key is behind the last.
   */
  *#elements(
    range: BoltRange,
  ): Generator<{ readonly page: TreePage; readonly index: number }, void, undefined> {
    const start = startOf(range)
    const { onDamage } = range
    const stack: { readonly page: TreePage; index: number }[] = []
    let visits = 0
    // In a damaged file a way can lead before the start: whoever goes on from there would come by again without end.
    const isBefore = (key: Buffer): boolean => {
      const order = start === null ? 1 : Buffer.compare(key, start.key)
      return order < 0 || (order === 0 && start?.behind === true)
    }
    let last: Buffer | null = null
    const enter = (read: () => TreePage, seek: boolean): void => {
      const page = this.#orTold(read, onDamage)
      if (page === undefined) return
      visits += page.overflow + 1
      if (visits > this.#context.source.pageCount || stack.length >= MAX_DEPTH) {
        stack.length = 0
        this.#orTold(() => {
          throw this.#damaged(`its pages refer to each other in a circle, by page ${page.id}`)
        }, onDamage)
        return
      }
      stack.push({ page, index: seek && start !== null ? startIn(page, start) : 0 })
    }
    enter(() => this.#rootOf(), true)
    let seeking = true
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const { page, index } = top
      if (index >= page.count) {
        stack.pop()
        seeking = false
      } else {
        top.index += 1
        if (!page.isLeaf) enter(() => this.#child(page, index), seeking)
        else {
          seeking = false
          const key = page.key(index)
          const before = isBefore(key)
          if (before || (last !== null && Buffer.compare(last, key) >= 0)) {
            const what = `the keys of page ${page.id} are not in order`
            if (onDamage === undefined) throw this.#damaged(what)
            onDamage({ path: this.path, what })
          }
          last = key
          this.#refuseEnded()
          if (!before) yield { page, index }
        }
      }
    }
  }

  #rowOr(page: TreePage, index: number, onDamage: BoltRange['onDamage']): BoltRow | undefined {
    return this.#orTold(() => this.#row(page, index), onDamage)
  }

  #row(page: TreePage, index: number): BoltRow {
    const key = page.key(index)
    const { maxValueBytes } = this.#context
    const bytes = page.valueBytes(index)
    if (bytes > maxValueBytes) {
      throw valueTooLongError(this.#context.source.path, `key 0x${key.toString('hex')}`, bytes, maxValueBytes)
    }
    const value = page.value(index)
    if (!page.isBucket(index)) return { key, value, bucket: null }
    return { key, value: null, bucket: this.#nested(page, key, value) }
  }

  #nested(page: TreePage, key: Buffer, value: Buffer): BoltBucket {
    const root = value.length < PAGE_HEADER_BYTES ? undefined : pageNumber(value, 0)
    if (root === undefined)
      throw this.#damaged(`the bucket 0x${key.toString('hex')} of page ${page.id} has no root`)
    const above = this.rootPage === null ? this.#above : [...this.#above, this.rootPage]
    if (above.includes(root) || above.length > MAX_NESTING) {
      throw this.#damaged(`the bucket 0x${key.toString('hex')} of page ${page.id} is nested without end`)
    }
    const inline = root === 0 ? value.subarray(PAGE_HEADER_BYTES) : null
    return new BoltBucket(this.#context, [...this.path, key], {
      root,
      sequence: value.readBigUInt64LE(8),
      inline,
      above,
    })
  }

  /** Calls it; where it meets damage and somebody wants to be told, tells that and returns undefined. */
  #orTold<T>(read: () => T, onDamage: BoltRange['onDamage']): T | undefined {
    if (onDamage === undefined) return read()
    try {
      return read()
    } catch (error) {
      if (!isStoreError(error, 'STORE_DAMAGED', 'INVALID_ARGUMENT')) throw error
      onDamage({ path: this.path, what: error.message })
      return undefined
    }
  }

  #refuseEnded(): void {
    if (this.#context.ended()) throw closedError(this.#context.source.path)
  }

  #damaged(what: string): Error {
    return damagedError(this.#context.source.path, what)
  }
}

/** The bytes of a key or of a name. */
export function bytesOf(key: BoltKey): Buffer {
  if (typeof key === 'string') return Buffer.from(key)
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength)
}

interface Start {
  readonly key: Buffer
  /** Whether the key itself is left out. */
  readonly behind: boolean
}

function startOf({ from, after }: BoltRange): Start | null {
  if (from !== undefined && after !== undefined) throw new TypeError('a range has from or after, not both')
  if (after !== undefined) return { key: bytesOf(after), behind: true }
  return from === undefined ? null : { key: bytesOf(from), behind: false }
}

function startIn(page: TreePage, { key, behind }: Start): number {
  return page.isLeaf ? firstBehind(page, key, behind) : Math.max(0, firstBehind(page, key, true) - 1)
}

/** The first element whose key is not before the wanted one; or, where `behind`, is behind it. */
function firstBehind(page: TreePage, wanted: Buffer, behind: boolean): number {
  let low = 0
  let high = page.count
  while (low < high) {
    const middle = (low + high) >>> 1
    const order = Buffer.compare(page.key(middle), wanted)
    if (order < 0 || (behind && order === 0)) low = middle + 1
    else high = middle
  }
  return low
}
