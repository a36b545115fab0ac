import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { EXIT } from '../exit-code.ts'
import { Failure } from '../failure.ts'

/** A data file that is read page by page, without LMDB. Making one throws a `Failure` where it cannot be opened. */
export class PageFile {
  readonly path: string
  readonly fileBytes: number
  readonly #file: number

  constructor(path: string) {
    this.path = path
    this.#file = openForReading(path)
    this.fileBytes = fstatSync(this.#file).size
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
    const code = (error as NodeJS.ErrnoException).code
    throw new Failure(EXIT.unreadable, `${path} cannot be read: ${code ?? String(error)}`, {
      hint: 'run as the user of the node, or as root',
      cause: error,
    })
  }
}
