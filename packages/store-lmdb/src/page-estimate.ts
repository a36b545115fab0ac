import type { TreeSize } from './environment.ts'

/** Bytes of the header of a page. */
const PAGE_HEADER_BYTES = 24

/** Bytes of a node beside its key and value, with its slot in the page. */
const NODE_OVERHEAD_BYTES = 10

/**
 * Pages that a commit may take for LMDB's own trees: the free list (which it rewrites in stretches), the
 * names of the tables, and their roots.
 */
const COMMIT_PAGES = 256

interface TableUse {
  readonly depth: number
  readonly treePages: number
  operations: number
  inlineBytes: number
  overflowPages: number
  pages: number
}

/**
 * Counts, from above, the pages that a commit may need at the end of the file. Free pages inside the file
 * are left out of account, because readers may still hold them.
 */
export class PageEstimate {
  readonly #sizeOf: (table: string) => TreeSize
  readonly #pageBytes: number
  readonly #tables = new Map<string, TableUse>()
  #pages: number = COMMIT_PAGES

  constructor(pageBytes: number, sizeOf: (table: string) => TreeSize) {
    this.#pageBytes = pageBytes
    this.#sizeOf = sizeOf
  }

  /** Pages so far. */
  get pages(): number {
    return this.#pages
  }

  /** Adds a change of one row; a removal has no value. Returns the pages so far. */
  add(table: string, keyBytes: number, valueBytes: number): number {
    const use = this.#use(table)
    use.operations += 1
    const node = keyBytes + valueBytes + NODE_OVERHEAD_BYTES
    if (node > this.#pageBytes / 2 - PAGE_HEADER_BYTES) {
      use.overflowPages += Math.ceil((valueBytes + PAGE_HEADER_BYTES) / this.#pageBytes)
      use.inlineBytes += keyBytes + NODE_OVERHEAD_BYTES
    } else use.inlineBytes += node
    this.#pages += this.#update(use)
    return this.#pages
  }

  #use(table: string): TableUse {
    let use = this.#tables.get(table)
    if (use === undefined) {
      const { depth, treePages } = this.#sizeOf(table)
      use = { depth, treePages, operations: 0, inlineBytes: 0, overflowPages: 0, pages: 0 }
      this.#tables.set(table, use)
    }
    return use
  }

  /** Counts a table anew and returns by how much its pages grew. */
  #update(use: TableUse): number {
    const { depth, treePages, operations, inlineBytes, overflowPages } = use
    // Each change copies its path, and a removal may touch a neighbour on every level.
    const copied = Math.min(operations * 2 * (depth + 1), treePages)
    // A page that is split holds about half afterwards, so only new bytes fill it again.
    const fullLeaves = Math.min(operations, treePages)
    const split = Math.min(operations * 2, fullLeaves + Math.ceil((inlineBytes * 4) / this.#pageBytes))
    const pages = copied + split + depth + 2 + overflowPages
    const grown = pages - use.pages
    use.pages = pages
    return grown
  }
}
