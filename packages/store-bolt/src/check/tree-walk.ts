import { isStoreError } from '@saltcod/store-core'
import { PAGE_HEADER_BYTES, pageNumber } from '../pages/meta-page.ts'
import type { TreePage } from '../pages/page.ts'
import { inlinePage, type PageSource } from '../pages/page-source.ts'
import { MAX_NESTING } from '../tree/bolt-bucket.ts'
import { MAX_DEPTH } from '../tree/tree-cursor.ts'
import { PageSet } from './page-set.ts'

/** BoltDB keeps a bucket inline up to a quarter of the largest page. */
const MAX_INLINE_BYTES = 4 * 1024 * 1024

/** What a walk along all pages of all buckets meets. */
export interface WalkVisitor {
  /** A page of a tree, or of an inline bucket, which has no pages of its own. */
  onPage?(page: TreePage, place: WalkPlace): void
  /** A bucket was walked; `levels` counts those of its tree and of the deepest one in it. */
  onBucket?(bucket: { readonly isInline: boolean; readonly nesting: number; readonly levels: number }): void
  onProblem(page: number, what: string, path: readonly Buffer[]): void
}

/** Where a page is met. */
export interface WalkPlace {
  readonly isInline: boolean
  /** How many buckets lead there; 0 in the root. */
  readonly nesting: number
}

/** Keys that a page may have: not below the first, below the second. */
type Bounds = readonly [from: Buffer | null, to: Buffer | null]

/** Walks every page that the root leads to, and each once. */
export class TreeWalk {
  /** Pages that were met, with their overflow. */
  readonly reached: PageSet
  readonly #source: PageSource
  readonly #visitor: WalkVisitor
  readonly #path: Buffer[] = []

  constructor(source: PageSource, visitor: WalkVisitor) {
    this.#source = source
    this.#visitor = visitor
    this.reached = new PageSet(source.pageCount)
  }

  run(): void {
    this.#bucket(this.#source.meta.rootPage)
  }

  /** Walks a bucket whose root is a page. Returns how many levels it has. */
  #bucket(root: number): number {
    const depth = { own: 0, below: 0 }
    this.#page(root, 1, [null, null], depth)
    return this.#ended(depth, false)
  }

  #inline(page: TreePage, holder: number): number {
    const depth = { own: 1, below: 0 }
    this.#visitor.onPage?.(page, { isInline: true, nesting: this.#path.length })
    this.#keys(page, [null, null])
    // BoltDB gives one as many bytes as it needs: what is beyond them was in it once.
    const lost = page.length - page.usedBytes
    if (lost > 0) this.#problem(holder, `has an inline bucket in which ${lost} bytes belong to nothing`)
    for (let index = 0; index < page.count; index += 1) {
      if (page.isBucket(index))
        this.#problem(holder, `has an inline bucket with a bucket in it, at ${index}, as no inline one has`)
    }
    return this.#ended(depth, true)
  }

  #ended(depth: Depth, isInline: boolean): number {
    const levels = depth.own + depth.below
    this.#visitor.onBucket?.({ isInline, nesting: this.#path.length, levels })
    return levels
  }

  #page(id: number, depth: number, bounds: Bounds, depths: Depth): void {
    const page = this.#read(id, depth)
    if (page === undefined) return
    depths.own = Math.max(depths.own, depth)
    this.#visitor.onPage?.(page, { isInline: false, nesting: this.#path.length })
    this.#keys(page, bounds)
    if (page.isLeaf) {
      for (let index = 0; index < page.count; index += 1) {
        if (page.isBucket(index)) depths.below = Math.max(depths.below, this.#nested(page, index))
      }
      return
    }
    if (page.count === 0) this.#problem(id, 'is a branch without children')
    for (let index = 0; index < page.count; index += 1) {
      const to = index + 1 < page.count ? page.key(index + 1) : bounds[1]
      const child = page.child(index)
      if (child === undefined) this.#problem(id, `names a child that no file can have, at ${index}`)
      else this.#page(child, depth + 1, [page.key(index), to], depths)
    }
  }

  /** Reads a page that nothing has led to before. */
  #read(id: number, depth: number): TreePage | undefined {
    if (id >= this.#source.meta.pageCount) {
      this.#problem(id, `out of bounds: ${this.#source.meta.pageCount}`)
      return undefined
    }
    if (depth > MAX_DEPTH) {
      this.#problem(id, `lies ${depth} levels deep`)
      return undefined
    }
    if (id < 2 || !this.reached.add(id)) {
      this.#problem(
        id,
        id < this.#source.pageCount ? 'multiple references' : 'lies behind the end of the file',
      )
      return undefined
    }
    try {
      const page = this.#source.treePage(id)
      for (let next = id + 1; next <= id + page.overflow; next += 1) {
        if (this.reached.add(next)) continue
        // Told once: many pages that claim the same ones would take as long as all of them times each other.
        this.#problem(next, 'multiple references')
        break
      }
      return page
    } catch (error) {
      if (!isStoreError(error, 'STORE_DAMAGED')) throw error
      this.#problem(id, reasonOf(error, id))
      return undefined
    }
  }

  #nested(page: TreePage, index: number): number {
    if (this.#path.length >= MAX_NESTING) {
      this.#problem(page.id, `has a bucket that is nested more than ${MAX_NESTING} deep`)
      return 0
    }
    const bytes = page.valueBytes(index)
    if (bytes > MAX_INLINE_BYTES) {
      this.#problem(page.id, `the bucket of element ${index} claims ${bytes} bytes`)
      return 0
    }
    this.#path.push(page.key(index))
    try {
      return this.#bucketOr(page, index)
    } catch (error) {
      if (!isStoreError(error, 'STORE_DAMAGED')) throw error
      this.#problem(page.id, reasonOf(error, page.id))
      return 0
    } finally {
      this.#path.pop()
    }
  }

  #bucketOr(page: TreePage, index: number): number {
    const value = page.valuePlace(index)
    const root = value.length < PAGE_HEADER_BYTES ? undefined : pageNumber(value.block.view, value.start)
    if (root === undefined) {
      this.#problem(page.id, `the bucket of element ${index} has no root`)
      return 0
    }
    if (root !== 0) return this.#bucket(root)
    const inline = inlinePage(value)
    if (typeof inline !== 'string') return this.#inline(inline, page.id)
    this.#problem(page.id, `the page ${inline}`)
    return 0
  }

  #keys(page: TreePage, [from, to]: Bounds): void {
    for (let index = 0; index < page.count; index += 1) {
      const isBehind =
        index > 0
          ? page.compareKeys(index, page, index - 1) > 0
          : from === null || page.compareKey(0, from) >= 0
      if (!isBehind) {
        const before = index === 0 ? 'the key in its ancestor' : 'the element before it'
        this.#problem(page.id, `the key of element ${index} is not behind ${before}`)
      }
      if (to !== null && page.compareKey(index, to) >= 0) {
        this.#problem(page.id, `the key of element ${index} is not before the next one in its ancestor`)
      }
    }
  }

  #problem(page: number, what: string): void {
    // Whoever keeps what was found keeps no memory of pages, which may be used again.
    this.#visitor.onProblem(
      page,
      what,
      this.#path.map((name) => Buffer.from(name)),
    )
  }
}

interface Depth {
  own: number
  below: number
}

/** What an error says of a page, without the file and the page. */
function reasonOf(error: Error, id: number): string {
  return error.message.split(`page ${id} `, 2)[1] ?? error.message
}
