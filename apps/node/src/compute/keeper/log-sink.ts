import { close, constants, fsync, openSync, writeSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { promisify } from 'node:util'
import { within } from '../within.ts'

// Without waiting: where a job has put a pipe in the place of its log, opening it fails.
const APPEND =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOFOLLOW

/** A log file that takes at most a number of bytes and forgets the rest, so that a job cannot fill the disk. */
export class LogSink {
  readonly #file: number
  #room: number
  #written = false
  #capped = false
  #stream: Readable | undefined
  #source: Promise<void> = Promise.resolve()

  constructor(path: string, limitBytes: number) {
    this.#file = openSync(path, APPEND, 0o600)
    this.#room = limitBytes
  }

  /** True when something was dropped: beyond the limit, or because the disk took no more. */
  get capped(): boolean {
    return this.#capped
  }

  /** True when something was kept. */
  get written(): boolean {
    return this.#written
  }

  /** Takes everything that a stream brings, until it ends. */
  drain(stream: Readable): void {
    this.#stream = stream
    stream.on('data', (chunk: Buffer) => this.#write(chunk))
    this.#source = finished(stream, { writable: false }).catch(() => undefined)
  }

  /** Resolves when the stream has ended, or after a time; then the file is on disk. */
  async close(deadlineMs: number): Promise<void> {
    await within(deadlineMs, this.#source)
    this.#room = 0
    // What still holds the other end must not keep ours open for as long as it lives.
    this.#stream?.destroy()
    try {
      // In another thread: while the disk is slow, the other runs go on.
      if (this.#written) await promisify(fsync)(this.#file)
    } catch {
      this.#capped = true
    }
    await promisify(close)(this.#file)
  }

  #write(chunk: Buffer): void {
    const kept = chunk.subarray(0, this.#room)
    if (kept.length < chunk.length) this.#capped = true
    try {
      for (let at = 0; at < kept.length; ) at += writeSync(this.#file, kept, at)
      this.#room -= kept.length
      this.#written ||= kept.length > 0
    } catch {
      // A full disk ends the log, not the job.
      this.#capped = true
      this.#room = 0
    }
  }
}
