/** Whether commits are made in a thread beside: `auto` where that pays, `always`, or `never`. */
export type CommitThreadUse = 'auto' | 'always' | 'never'

/** So many bodies of a group are several callers. */
const SEVERAL = 3
/** From fewer on they are taken for one at a time again. */
const FEW = 2
/**
 * From so long a commit on, handing it over costs a caller who waits alone less than a twentieth: it is some 0.2 ms
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

/** How long a commit took, in milliseconds, and of how many bodies it was. */
export interface CommitSize {
  readonly tookMs: number
  readonly bodies: number
}

/**
 * Decides where the next commit is made. Where several callers wait, beside: the loop has something else to do
 * meanwhile, which is worth more than the way to the thread and back. Where one waits alone, by how long the last
 * commits took.
 */
export class CommitPlace {
  readonly #use: CommitThreadUse
  #usualMs = 0
  #usualBodies = 1
  #usualAroundMs = 0
  #isLong = false
  #areSeveral = false
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
    if (this.#use !== 'auto') return this.isAlwaysBeside
    return this.#areSeveral || (this.#isLong && this.#rest === 0)
  }

  /** Takes note of a commit that was made here. */
  note(size: CommitSize): void {
    this.#rest = Math.max(0, this.#rest - 1)
    this.#noteSize(size)
  }

  /** Takes note of one that was made beside, and of the milliseconds of the way there and back. */
  noteBeside(size: CommitSize, aroundMs: number): void {
    this.#noteSize(size)
    this.#usualAroundMs += WEIGHT * (aroundMs - this.#usualAroundMs)
    if (this.#areSeveral || this.#usualAroundMs <= MOST_AROUND * this.#usualMs) return
    this.#usualAroundMs = 0
    this.#rest = REST_COMMITS
  }

  #noteSize({ tookMs, bodies }: CommitSize): void {
    this.#usualMs += WEIGHT * (tookMs - this.#usualMs)
    this.#usualBodies += WEIGHT * (bodies - this.#usualBodies)
    this.#isLong = this.#usualMs > (this.#isLong ? SHORT_MS : LONG_MS)
    this.#areSeveral = this.#usualBodies > (this.#areSeveral ? FEW : SEVERAL)
  }
}
