/**
 * Aborts with the first of several signals, until it is released. What waits again and again for a signal that lives
 * as long as the node uses this and not `AbortSignal.any`, of which Node.js keeps an entry in each of its sources for
 * as long as that one lives.
 */
export class JoinedSignal {
  readonly #joined = new AbortController()
  readonly #sources: readonly AbortSignal[]
  readonly #abort = (): void => this.#joined.abort()

  constructor(...sources: readonly AbortSignal[]) {
    this.#sources = sources
    for (const source of sources) source.addEventListener('abort', this.#abort, { once: true })
    if (sources.some(({ aborted }) => aborted)) this.#abort()
  }

  get signal(): AbortSignal {
    return this.#joined.signal
  }

  /** Lets go of its sources; it aborts no more. */
  release(): void {
    for (const source of this.#sources) source.removeEventListener('abort', this.#abort)
  }
}
