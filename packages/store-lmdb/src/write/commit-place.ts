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
/** The most that the way to the thread and back may take of a commit: it is more where all processors are busy. */
const MOST_AROUND = 0.25
/** Commits that are made here before it is tried again. */
const REST_COMMITS = 1_000

/** Decides where the next commit is made, by how long the last ones took. */
export class CommitPlace {
  readonly #use: CommitThreadUse
  #usualMs = 0
  #usualAroundMs = 0
  #isLong = false
  #rest = 0

  constructor(use: CommitThreadUse) {
    this.#use = use
  }

  /** Whether every commit should be made beside. */
  get isAlwaysBeside(): boolean {
    return this.#use === 'always'
  }

  /** Whether the next commit should be made beside. */
  get isBeside(): boolean {
    return this.isAlwaysBeside || (this.#use === 'auto' && this.#isLong && this.#rest === 0)
  }

  /** Takes note of how long a commit took that was made here. */
  note(tookMs: number): void {
    this.#rest = Math.max(0, this.#rest - 1)
    this.#noteLength(tookMs)
  }

  /** Takes note of how long one took that was made beside, and of the time for the way there and back. */
  noteBeside(tookMs: number, aroundMs: number): void {
    this.#noteLength(tookMs)
    this.#usualAroundMs += WEIGHT * (aroundMs - this.#usualAroundMs)
    if (this.#usualAroundMs <= MOST_AROUND * this.#usualMs) return
    this.#usualAroundMs = 0
    this.#rest = REST_COMMITS
  }

  #noteLength(tookMs: number): void {
    this.#usualMs += WEIGHT * (tookMs - this.#usualMs)
    this.#isLong = this.#usualMs > (this.#isLong ? SHORT_MS : LONG_MS)
  }
}
