import { closeSync, openSync } from 'node:fs'
import { devNull } from 'node:os'

import { descriptorsError } from '../refusal.ts'

/** So many are held: for an exchange of files, and some for threads that open files at the same moment. */
const HELD = 24

/** With fewer nothing is opened: LMDB takes three at a time, and this package two beside them. */
const LEAST = 8

/**
 * Descriptors that are kept open for nothing, as long as LMDB has a file open, and closed for the moment in which
 * something must be opened: LMDB ends the process where an opening of its own fails, and connections alone may bring a
 * process to its limit of open files.
 */
class SpareDescriptors {
  #held: number[] = []
  #users = 0
  #lent = 0

  /** Runs a body for which some are free. Throws `STORE_BUSY` where there are too few, having run nothing. */
  lend<T>(path: string, body: () => T): T {
    this.#fill()
    const enough = this.#held.length >= LEAST
    if (enough || this.#lent > 0 || this.#users === 0) this.#drop()
    if (!enough) throw descriptorsError(path)
    this.#lent += 1
    try {
      return body()
    } finally {
      this.#lent -= 1
      this.refill()
    }
  }

  /** To be called for each file that LMDB has opened. */
  retain(): void {
    this.#users += 1
    this.refill()
  }

  /** To be called for each that it has closed, which gave some back. */
  release(): void {
    this.#users -= 1
    if (this.#users === 0) this.#drop()
    else this.refill()
  }

  /** To be called when others were closed that had been opened while these were lent. */
  refill(): void {
    if (this.#lent === 0 && this.#users > 0) this.#fill()
  }

  #fill(): void {
    try {
      while (this.#held.length < HELD) this.#held.push(openSync(devNull, 'r'))
    } catch {
      // As many as there are.
    }
  }

  #drop(): void {
    for (const file of this.#held.splice(0)) closeSync(file)
  }
}

/** Those of this process. */
export const spareDescriptors: SpareDescriptors = new SpareDescriptors()
