import { spawnSync } from 'node:child_process'
import { closeSync, constants, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'

/** A log file that takes at most a number of bytes and forgets the rest, so that a job cannot fill the disk. */
export class LogSink {
  readonly #file: number
  #room: number
  #capped = false
  #source: Promise<void> = Promise.resolve()

  constructor(path: string, limitBytes: number) {
    this.#file = openSync(path, 'a', 0o600)
    this.#room = limitBytes
  }

  /** True when something was dropped: beyond the limit, or because the disk took no more. */
  get capped(): boolean {
    return this.#capped
  }

  /** Takes everything that a stream brings, until it ends. */
  drain(stream: Readable): void {
    stream.on('data', (chunk: Buffer) => this.#write(chunk))
    this.#source = finished(stream, { writable: false }).catch(() => undefined)
  }

  /** Resolves when the stream has ended, or after a time; then the file is on disk. */
  async close(deadlineMs: number): Promise<void> {
    const timeout = new Promise<void>((resolve) => setTimeout(resolve, deadlineMs).unref())
    await Promise.race([this.#source, timeout])
    try {
      fsyncSync(this.#file)
    } catch {
      this.#capped = true
    }
    closeSync(this.#file)
    this.#room = 0
  }

  #write(chunk: Buffer): void {
    const kept = chunk.subarray(0, this.#room)
    if (kept.length < chunk.length) this.#capped = true
    try {
      for (let at = 0; at < kept.length; ) at += writeSync(this.#file, kept, at)
      this.#room -= kept.length
    } catch {
      // A full disk ends the log, not the job.
      this.#capped = true
      this.#room = 0
    }
  }
}

/** A pipe that the job writes to: the job's end, and ours as a stream. */
export interface LogPipe {
  readonly childEnd: number
  readonly stream: Readable
}

/**
 * Makes two pipes that a job may also open by the names `/dev/stdout` and `/dev/stderr`; undefined where the
 * machine has no `mkfifo`. Node makes socket pairs, which cannot be opened by name.
 */
export function openNamedPipes(workDir: string): readonly [LogPipe, LogPipe] | undefined {
  const paths = [join(workDir, '.stdout.pipe'), join(workDir, '.stderr.pipe')] as const
  const made = spawnSync('mkfifo', ['-m', '600', ...paths], { stdio: 'ignore' })
  if (made.status !== 0) return undefined
  const open = (path: string): LogPipe => {
    // The reading end first and without waiting, or each open would wait for the other.
    const ours = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const childEnd = openSync(path, 'w')
    rmSync(path)
    return { childEnd, stream: new Socket({ fd: ours, readable: true, writable: false }) }
  }
  return [open(paths[0]), open(paths[1])]
}
