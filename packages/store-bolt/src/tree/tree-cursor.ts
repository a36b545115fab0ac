import { isStoreError } from '@saltcod/store-core'
import type { TreePage } from '../pages/page.ts'
import type { PageSource } from '../pages/page-source.ts'
import { damagedError } from '../refusal.ts'

/** A tree is as deep as this only where its pages refer to each other in a circle. */
export const MAX_DEPTH: number = 64

/** Nothing above: what most trees are, for small ones are of one page. */
const NONE: never[] = []

/** Where a walk begins. */
export interface CursorStart {
  readonly key: Buffer
  /** Whether the key itself is left out. */
  readonly behind: boolean
}

/** Gets what is wrong, where the rest is wanted all the same. */
export type Tell = (what: string) => void

/** The child of a branch. Throws `STORE_DAMAGED`. */
export function childOf(source: PageSource, page: TreePage, index: number): TreePage {
  if (page.count === 0) throw damagedError(source.path, `page ${page.id} is a branch without children`)
  const id = page.child(index)
  if (id === undefined) {
    throw damagedError(source.path, `page ${page.id} names a page that no file can have`)
  }
  const child = source.treePage(id)
  if (child.count === 0) throw damagedError(source.path, `page ${id} is empty`)
  return child
}

/** The first element whose key is not before the wanted one; or, where `behind`, is behind it. */
export function firstBehind(page: TreePage, wanted: Buffer, behind: boolean): number {
  let low = 0
  let high = page.count
  while (low < high) {
    const middle = (low + high) >>> 1
    const order = page.compareKey(middle, wanted)
    if (order < 0 || (behind && order === 0)) low = middle + 1
    else high = middle
  }
  return low
}

/** The child of a branch in which a key is, if it is anywhere. */
export function childWith(page: TreePage, key: Buffer): number {
  return Math.max(0, firstBehind(page, key, true) - 1)
}

/**
 * Walks the leaves of a tree. No page is visited twice: there are no more visits than pages, and each key is behind
 * the last. Damage is thrown as `STORE_DAMAGED`, or told, where somebody wants to be told, and passed by.
 */
export class TreeCursor {
  /** The leaf where the walk is. */
  page: TreePage
  /** The element of the leaf where the walk is. */
  index = -1
  readonly #source: PageSource
  readonly #start: CursorStart | null
  readonly #tell: Tell | undefined
  /** The branches above the leaf, and which child of each comes next. */
  #above: { readonly page: TreePage; next: number }[] = NONE
  #visits = 0
  #seeking: boolean
  /** Whether the element before was in order and not before the start: the next one then is not, if it is behind. */
  #isWithin = false
  #lastPage: TreePage | null = null
  #lastIndex = 0
  /** A page is told once, however many of its keys are not in order. */
  #toldPage: TreePage | null = null

  constructor(source: PageSource, root: TreePage, start: CursorStart | null, tell: Tell | undefined) {
    this.#source = source
    this.#start = start
    this.#tell = tell
    this.#seeking = start !== null
    this.page = root
    this.#enter(root)
  }

  /** Goes to the next element. Returns whether there is one. */
  next(): boolean {
    for (;;) {
      this.index += 1
      if (this.index >= this.page.count || !this.page.isLeaf) {
        if (!this.#nextLeaf()) return false
      } else if (this.#inOrder()) return true
    }
  }

  /** Goes before the first wanted element of the next leaf. Returns whether there is a leaf. */
  #nextLeaf(): boolean {
    for (let top = this.#above.at(-1); top !== undefined; top = this.#above.at(-1)) {
      if (top.next >= top.page.count) {
        this.#above.pop()
        this.#seeking = false
      } else {
        top.next += 1
        const child = this.#childOr(top.page, top.next - 1)
        if (child !== undefined && this.#enter(child)) return true
      }
    }
    return false
  }

  /** Begins with a page. Returns whether it is a leaf. */
  #enter(page: TreePage): boolean {
    this.#visits += page.overflow + 1
    if (this.#visits > this.#source.pageCount || this.#above.length >= MAX_DEPTH) {
      this.#above = NONE
      this.#damaged(`its pages refer to each other in a circle, by page ${page.id}`)
      return false
    }
    const start = this.#seeking ? this.#start : null
    if (!page.isLeaf) {
      if (this.#above === NONE) this.#above = []
      this.#above.push({ page, next: start === null ? 0 : childWith(page, start.key) })
      return false
    }
    this.page = page
    this.index = (start === null ? 0 : firstBehind(page, start.key, start.behind)) - 1
    this.#seeking = false
    return true
  }

  /** Whether the element belongs to the walk: in a damaged file a way can lead before the start, and by again. */
  #inOrder(): boolean {
    const { page, index } = this
    const isBehind = this.#lastPage === null || page.compareKeys(index, this.#lastPage, this.#lastIndex) > 0
    this.#lastPage = page
    this.#lastIndex = index
    if (isBehind && this.#isWithin) return true
    const start = this.#start
    const order = start === null ? 1 : page.compareKey(index, start.key)
    this.#isWithin = order > 0 || (order === 0 && start?.behind !== true)
    if ((!isBehind || !this.#isWithin) && this.#toldPage !== page) {
      this.#toldPage = page
      this.#damaged(`the keys of page ${page.id} are not in order`)
    }
    return this.#isWithin
  }

  #childOr(page: TreePage, index: number): TreePage | undefined {
    try {
      return childOf(this.#source, page, index)
    } catch (error) {
      if (this.#tell === undefined || !isStoreError(error, 'STORE_DAMAGED')) throw error
      this.#tell(error.message)
      return undefined
    }
  }

  #damaged(what: string): void {
    if (this.#tell === undefined) throw damagedError(this.#source.path, what)
    this.#tell(what)
  }
}
