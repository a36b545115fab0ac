/** Numbers of pages, one bit each. */
export class PageSet {
  readonly #bits: Uint8Array
  readonly #pages: number
  #size = 0

  constructor(pages: number) {
    this.#pages = pages
    this.#bits = new Uint8Array(Math.ceil(pages / 8))
  }

  /** How many there are. */
  get size(): number {
    return this.#size
  }

  has(page: number): boolean {
    return page < this.#pages && ((this.#bits[Math.floor(page / 8)] ?? 0) & (1 << (page % 8))) !== 0
  }

  /** Adds a page. Returns whether it is new; one that the file does not have never is. */
  add(page: number): boolean {
    if (page >= this.#pages || this.has(page)) return false
    const at = Math.floor(page / 8)
    this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (page % 8))
    this.#size += 1
    return true
  }
}
