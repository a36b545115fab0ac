import { closeSync, openSync, readSync, writeSync } from 'node:fs'

/** Where LMDB's lock file keeps the number of the last transaction, as 64 bits, low byte first. */
const WORD_OFFSET = 8

/**
 * The number of the last transaction, as the lock file tells it to every process. LMDB at the pinned version lets each process that
 * opens a file set it to what it read from the file a moment earlier; where a commit came in between, the
 * number goes back by one, and the next transaction would replace that commit. So the owner compares, and
 * puts it right.
 *
 * The descriptor stays open as long as LMDB has the file open: closing any descriptor of the lock file drops
 * the locks that LMDB holds on it.
 */
export class LockWord {
  readonly #file: number

  constructor(dataPath: string) {
    this.#file = openSync(`${dataPath}-lock`, 'r+')
  }

  /**
   * Sets the number to that of the last commit. Returns false, and changes nothing, where it is not the one
   * that was seen.
   */
  repair(seen: number, last: number): boolean {
    const word = Buffer.alloc(8)
    if (readSync(this.#file, word, 0, 8, WORD_OFFSET) < 8) return false
    if (word.readBigUInt64LE() !== BigInt(seen)) return false
    word.writeBigUInt64LE(BigInt(last))
    return writeSync(this.#file, word, 0, 8, WORD_OFFSET) === 8
  }

  /** Only after LMDB has closed the file. */
  close(): void {
    closeSync(this.#file)
  }
}
