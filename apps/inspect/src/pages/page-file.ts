import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** A data file that is read page by page, without LMDB. */
export class PageFile {
  readonly path: string
  readonly fileBytes: number
  readonly #file: number

  constructor(path: string) {
    this.path = path
    this.#file = openSync(path, 'r')
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
