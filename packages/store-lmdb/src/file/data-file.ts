import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { systemError } from '../refusal.ts'
import { fileOf } from './owner-note.ts'

/**
 * A data file that is read piece by piece, without LMDB. Making one throws `STORE_PERMISSION` where it cannot be
 * opened. LMDB's locks are on the lock file, so this one may be opened and closed beside it.
 */
export class DataFile {
  readonly path: string
  readonly fileBytes: number
  /** Tells it from others, as the note of an owner does. */
  readonly identity: string
  readonly #file: number

  constructor(path: string) {
    this.path = path
    this.#file = openForReading(path)
    const status = fstatSync(this.#file, { bigint: true })
    this.fileBytes = Number(status.size)
    this.identity = fileOf(status)
  }

  /** Reads so many bytes; fewer at the end of the file. */
  read(position: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    let done = 0
    while (done < length) {
      const count = readSync(this.#file, bytes, done, length - done, position + done)
      if (count === 0) break
      done += count
    }
    return bytes.subarray(0, done)
  }

  close(): void {
    closeSync(this.#file)
  }
}

function openForReading(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    throw systemError(path, 'it cannot be read', error)
  }
}
