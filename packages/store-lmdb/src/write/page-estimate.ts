import type { TreeSize } from '../native/tree-size.ts'

/** Bytes of the header of a page. */
const PAGE_HEADER_BYTES = 24

/** Bytes of a node beside its key and value, with its slot in the page. */
const NODE_OVERHEAD_BYTES = 10

/** Pages that a commit may take for LMDB's own trees: the free list, the names of the tables, and their roots. */
const MOST_COMMIT_PAGES = 256

/** The same in a file of a few pages. */
const LEAST_COMMIT_PAGES = 24

/**
 * The free list is rewritten in stretches, and no more than all of it: a free page takes at most 34 bytes there, so a
 * leaf that is half full tells of 60, and each leaf is copied once.
 */
const PAGES_FOR_A_PAGE_OF_FREE_LIST = 32

interface TableUse {
  readonly size: TreeSize
  puts: number
  removes: number
  inlineBytes: number
  overflowPages: number
}

/**
 * Counts, from above, the pages that a commit may need at the end of the file. Free pages inside the file
 * are left out of account, because readers may still hold them.
 */
export class PageEstimate {
  readonly #sizeOf: (table: string) => TreeSize
  readonly #pageBytes: number
  readonly #commitPages: number
  readonly #tables = new Map<string, TableUse>()

  /** `usedPages` is how many pages the file has up to its last used one. */
  constructor(pageBytes: number, usedPages: number, sizeOf: (table: string) => TreeSize) {
    this.#pageBytes = pageBytes
    this.#commitPages = Math.min(
      MOST_COMMIT_PAGES,
      LEAST_COMMIT_PAGES + Math.ceil(usedPages / PAGES_FOR_A_PAGE_OF_FREE_LIST),
    )
    this.#sizeOf = sizeOf
  }

  /** Pages for all that was added so far. */
  get pages(): number {
    let pages = this.#commitPages
    for (const use of this.#tables.values()) pages += this.#pagesOf(use)
    return pages
  }

  /** Adds a row that is put. */
  put(table: string, keyBytes: number, valueBytes: number): void {
    const use = this.#use(table)
    use.puts += 1
    const node = keyBytes + valueBytes + NODE_OVERHEAD_BYTES
    if (node > this.#pageBytes / 2 - PAGE_HEADER_BYTES) {
      use.overflowPages += Math.ceil((valueBytes + PAGE_HEADER_BYTES) / this.#pageBytes)
      use.inlineBytes += keyBytes + NODE_OVERHEAD_BYTES
    } else use.inlineBytes += node
  }

  /** Adds a row that is removed. */
  remove(table: string): void {
    this.#use(table).removes += 1
  }

  #use(table: string): TableUse {
    let use = this.#tables.get(table)
    if (use === undefined) {
      use = { size: this.#sizeOf(table), puts: 0, removes: 0, inlineBytes: 0, overflowPages: 0 }
      this.#tables.set(table, use)
    }
    return use
  }

  #pagesOf({ size, puts, removes, inlineBytes, overflowPages }: TableUse): number {
    // A change copies its path; a removal may also touch a neighbour on every level.
    const paths = puts + 2 * removes
    const leaves = Math.min(paths, size.leafPages)
    const branches = Math.min(paths * size.depth, size.branchPages)
    // A page that is split holds about half afterwards, so only new bytes fill it again.
    const split = Math.min(2 * puts, leaves + Math.ceil((inlineBytes * 4) / this.#pageBytes))
    return leaves + branches + split + Math.ceil(split / 8) + size.depth + 2 + overflowPages
  }
}
