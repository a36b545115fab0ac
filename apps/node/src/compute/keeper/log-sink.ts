import { close, fsync } from 'node:fs'
import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { promisify } from 'node:util'
import { within } from '../../waiting/time-limit.ts'
import { CappedFile } from '../files/capped-file.ts'

/** The log file of one stream of a program; one that brings nothing is never made. */
export class LogSink {
  readonly #log: CappedFile
  #stream: Readable | undefined
  #source: Promise<void> = Promise.resolve()

  constructor(path: string, limitBytes: number) {
    this.#log = new CappedFile(path, limitBytes)
  }

  /** True when something was dropped: beyond the limit, or because the disk took no more. */
  get capped(): boolean {
    return this.#log.capped
  }

  /** True when something was kept. */
  get written(): boolean {
    return this.#log.written
  }

  /** Takes everything that a stream brings, until it ends. */
  drain(stream: Readable): void {
    this.#stream = stream
    stream.on('data', (chunk: Buffer) => this.#log.write(chunk))
    this.#source = finished(stream, { writable: false }).catch(() => undefined)
  }

  /** Resolves when the stream has ended, or after a time; then the file is on disk. */
  async close(deadlineMs: number): Promise<void> {
    await within(deadlineMs, this.#source)
    this.#log.shut()
    // What still holds the other end must not keep ours open for as long as it lives.
    this.#stream?.destroy()
    const file = this.#log.descriptor
    if (file === undefined) return
    try {
      // In another thread: while the disk is slow, the other runs go on.
      if (this.written) await promisify(fsync)(file)
    } catch {
      this.#log.drop()
    }
    await promisify(close)(file)
  }
}
