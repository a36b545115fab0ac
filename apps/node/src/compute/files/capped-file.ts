import { constants, openSync, writeSync } from 'node:fs'
import { makeNew } from './new-file.ts'

// A file of its own: a job may have put anything in the place of its log, another file among it.
const NEW = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL

/**
 * A log file that is made with its first bytes, takes at most a number of bytes and forgets the rest, so that a job
 * cannot fill the disk.
 */
export class CappedFile {
  readonly path: string
  #file: number | undefined
  #left: number
  #capped = false
  #written = false

  constructor(path: string, limitBytes: number) {
    this.path = path
    this.#left = limitBytes
  }

  /** True when something was dropped: beyond the limit, or because the disk took no more. */
  get capped(): boolean {
    return this.#capped
  }

  /** True when something was kept. */
  get written(): boolean {
    return this.#written
  }

  /** Its descriptor, which whoever closes it makes durable before; undefined while it is not open. */
  get descriptor(): number | undefined {
    return this.#file
  }

  /** Keeps of some bytes what there is room for. */
  write(bytes: Uint8Array): void {
    const kept = bytes.subarray(0, this.#left)
    if (kept.length < bytes.length) this.#capped = true
    if (kept.length === 0) return
    try {
      this.#file ??= makeNew(this.path, () => openSync(this.path, NEW, 0o600))
      const file = this.#file
      for (let at = 0; at < kept.length; ) at += writeSync(file, kept, at)
      this.#left -= kept.length
      this.#written = true
    } catch {
      // A full disk ends the log, not the job.
      this.drop()
    }
  }

  /** Says that something was lost, and takes no more. */
  drop(): void {
    this.#capped = true
    this.#left = 0
  }

  /** Takes no more, without a word of what still comes. */
  shut(): void {
    this.#left = 0
  }
}
