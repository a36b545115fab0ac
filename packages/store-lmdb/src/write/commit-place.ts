/** Whether commits are made in a thread beside: `auto` where that pays, `always`, or `never`. */
export type CommitThreadUse = 'auto' | 'always' | 'never'

/** From so long a commit on, handing it over costs less than the event loop loses by waiting for it. */
const LONG_MS = 1
/** A little lower, so that it does not change with every commit. */
const SHORT_MS = 0.6
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
