import { closeSync, readSync, writeSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
// Imported and not taken from the global object, so that a test's fake timers do not stop it.
import { clearTimeout, setTimeout } from 'node:timers'
import { blockThread } from '../file/blocked-thread.ts'
import { LAST_TRANSACTION_OFFSET } from '../file/lock-file.ts'
import { systemCode } from '../refusal.ts'

/** So long after a commit a process that began to open the store before it may still set the number back. */
const WATCH_MS = 2_000
/** So often readers in other processes get the right number while it is watched. */
const WATCH_EVERY_MS = 50
/** So long a reader waits for the owner to put the number right. */
const MAX_BEHIND_MS = 200

/**
 * The number of the last transaction, as the lock file tells it to every process. LMDB at the pinned version lets each
 * process that opens a file set it to what it read from the file a moment earlier; where a commit came in between, the
 * number goes back by one: readers would see the state before that commit, and the next transaction would replace it.
 * So the owner compares, and puts it right.
 *
 * The descriptor stays open as long as LMDB has the file open: closing any descriptor of the lock file drops
 * the locks that LMDB holds on it.
 */
export class LockWord {
  readonly #file: number
  readonly #lastCommit: () => number
  readonly #word = Buffer.alloc(8)
  #watchedUntil = 0
  #givenUp: number | undefined
  #timer: NodeJS.Timeout | undefined

  /**
   * Takes over the descriptor of a lock file. `lastCommit` tells the number of the last transaction as the data file
   * itself has it. Only an owner may set the number.
   */
  constructor(file: number, lastCommit: () => number) {
    this.#file = file
    this.#lastCommit = lastCommit
  }

  /** Whether a commit was so short a time ago that the number may still go back. */
  get isWatched(): boolean {
    return this.#watchedUntil !== 0 && performance.now() < this.#watchedUntil
  }

  /**
   * Waits until the owner has put the number right, for what a reader has seen once it must not miss later. An owner
   * that died does not do it, so nobody waits twice for the same commit.
   */
  awaitLastCommit(): void {
    const until = performance.now() + MAX_BEHIND_MS
    for (
      let last = this.#lastCommit();
      last !== this.#givenUp && this.#isBehind(last);
      last = this.#lastCommit()
    ) {
      if (performance.now() > until) this.#givenUp = last
      else blockThread(1)
    }
  }

  #isBehind(last: number): boolean {
    const number = this.#read()
    return number !== undefined && number < BigInt(last)
  }

  /**
   * A lock file that cannot be read is no reason to end: every transaction looks whether it began at the last commit.
   */
  #read(): bigint | undefined {
    try {
      const bytes = readSync(this.#file, this.#word, 0, 8, LAST_TRANSACTION_OFFSET)
      return bytes === 8 ? this.#word.readBigUInt64LE() : undefined
    } catch (error) {
      if (systemCode(error) === undefined) throw error
      return undefined
    }
  }

  /**
   * Raises the number to that of the last commit. Returns false where it was not below, or cannot be set. A thread
   * that commits beside may have set it higher already.
   */
  correct(): boolean {
    const last = BigInt(this.#lastCommit())
    const number = this.#read()
    if (number === undefined || number >= last) return false
    this.#word.writeBigUInt64LE(last)
    try {
      return writeSync(this.#file, this.#word, 0, 8, LAST_TRANSACTION_OFFSET) === 8
    } catch (error) {
      if (systemCode(error) === undefined) throw error
      return false
    }
  }

  /** To be called after each commit: for a while the number is put right by itself. */
  watch(): void {
    this.#watchedUntil = performance.now() + WATCH_MS
    this.#timer ??= setTimeout(() => {
      this.#look()
    }, WATCH_EVERY_MS).unref()
  }

  /** Only after LMDB has closed the file. */
  close(): void {
    clearTimeout(this.#timer)
    closeSync(this.#file)
  }

  #look(): void {
    this.correct()
    if (this.isWatched) this.#timer?.refresh()
    else this.#timer = undefined
  }
}
