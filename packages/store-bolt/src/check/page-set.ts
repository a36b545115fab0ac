/** Pages whose bits lie together: what nothing leads to takes no memory, for a file may claim to have any number. */
export const PAGES_A_BLOCK: number = 4096

/** Numbers of pages, one bit each. */
export class PageSet {
  readonly #blocks = new Map<number, Uint8Array>()
  readonly #pages: number
  #size = 0
  /** The block that was asked for last: pages are mostly asked for in their order. */
  #lastIndex = -1
  #last: Uint8Array | undefined

  constructor(pages: number) {
    this.#pages = pages
  }

  /** How many there are. */
  get size(): number {
    return this.#size
  }

  has(page: number): boolean {
    const bits = page < this.#pages ? this.#block(page) : undefined
    const at = page % PAGES_A_BLOCK
    return bits !== undefined && ((bits[at >>> 3] ?? 0) & (1 << (at & 7))) !== 0
  }

  /** Adds a page. Returns whether it is new; one that the file does not have never is. */
  add(page: number): boolean {
    if (page >= this.#pages || this.has(page)) return false
    const bits = this.#block(page) ?? this.#newBlock()
    const at = page % PAGES_A_BLOCK
    bits[at >>> 3] = (bits[at >>> 3] ?? 0) | (1 << (at & 7))
    this.#size += 1
    return true
  }

  /** Whether none is there of the pages among which one is, from the last multiple of {@link PAGES_A_BLOCK} on. */
  isBlockEmpty(page: number): boolean {
    return this.#block(page) === undefined
  }

  #block(page: number): Uint8Array | undefined {
    const index = Math.floor(page / PAGES_A_BLOCK)
    if (index !== this.#lastIndex) {
      this.#lastIndex = index
      this.#last = this.#blocks.get(index)
    }
    return this.#last
  }

  /** Makes the block that was asked for last. */
  #newBlock(): Uint8Array {
    this.#last = new Uint8Array(PAGES_A_BLOCK / 8)
    this.#blocks.set(this.#lastIndex, this.#last)
    return this.#last
  }
}
