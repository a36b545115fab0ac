/** Whether commits are made in a thread beside: `auto` where that pays, `always`, or `never`. */
export type CommitThreadUse = 'auto' | 'always' | 'never'

/**
 * From so long a commit on, handing it over costs callers less than a twentieth: it is some 0.2 ms
 * (`bench/writers.mjs`), of a commit that takes one a seventh.
 */
const LONG_MS = 3
/** A little lower, so that it does not change with every commit. */
const SHORT_MS = 2
/** How much the last commit counts among those before it. */
const WEIGHT = 0.1

/** Decides where the next commit is made, by how long the last ones took. */
export class CommitPlace {
  readonly #use: CommitThreadUse
  #usualMs = 0
  #isLong = false

  constructor(use: CommitThreadUse) {
    this.#use = use
  }

  /** Whether every commit should be made beside. */
  get isAlwaysBeside(): boolean {
    return this.#use === 'always'
  }

  /** Whether the next commit should be made beside. */
  get isBeside(): boolean {
    return this.isAlwaysBeside || (this.#use === 'auto' && this.#isLong)
  }

  /** Takes note of how long a commit took, wherever it was made. */
  note(tookMs: number): void {
    this.#usualMs += WEIGHT * (tookMs - this.#usualMs)
    this.#isLong = this.#usualMs > (this.#isLong ? SHORT_MS : LONG_MS)
  }
}
