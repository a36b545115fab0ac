/** What a copy may use in all; shared by all files of one task. Throws what its owner wants thrown. */
export class CopyBudget {
  #bytes: number
  #entries: number
  readonly #fail: (what: string) => Error

  constructor(maxBytes: number, maxEntries: number, fail: (what: string) => Error) {
    this.#bytes = maxBytes
    this.#entries = maxEntries
    this.#fail = (what) => fail(`${what} (limits: ${maxBytes} bytes, ${maxEntries} files and directories)`)
  }

  /** Bytes that are left. */
  get leftBytes(): number {
    return this.#bytes
  }

  /** Uses up bytes; throws when there are not as many. */
  takeBytes(count: number): void {
    if (count > this.#bytes) throw this.#fail('holds too many bytes')
    this.#bytes -= count
  }

  /** Uses up one file or directory; throws when there is none left. */
  takeEntry(): void {
    if (this.#entries < 1) throw this.#fail('holds too many files')
    this.#entries -= 1
  }
}
