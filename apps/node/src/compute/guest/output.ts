import { closeSync, constants, fsyncSync, openSync, writevSync } from 'node:fs'
import { dirname } from 'node:path'
import type { WasiFunctions } from './mounts.ts'
import type { WasmMemory } from './web-assembly.ts'

const SUCCESS = 0
const BAD_ADDRESS = 21
const INVALID = 28
const MOST_PIECES = 1_024
const STDOUT = 1
const STDERR = 2
// Without waiting, and following no link: another run may have put anything in its place.
const APPEND =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOFOLLOW

/** The log file of one stream of a guest: takes at most a number of bytes and forgets the rest. Made when it is first written to. */
class GuestLog {
  readonly #path: string
  #file: number | undefined
  #room: number
  #capped = false

  constructor(path: string, limitBytes: number) {
    this.#path = path
    this.#room = limitBytes
  }

  get capped(): boolean {
    return this.#capped
  }

  write(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) {
      const kept = piece.subarray(0, this.#room)
      if (kept.length < piece.length) this.#capped = true
      if (kept.length > 0) this.#keep(kept)
    }
  }

  close(): void {
    if (this.#file === undefined) return
    try {
      fsyncSync(this.#file)
      syncNames(dirname(this.#path))
    } catch {
      this.#capped = true
    }
    closeSync(this.#file)
  }

  #keep(bytes: Uint8Array): void {
    try {
      this.#file ??= openSync(this.#path, APPEND, 0o600)
      for (let at = 0; at < bytes.length; ) at += writevSync(this.#file, [bytes.subarray(at)])
      this.#room -= bytes.length
    } catch {
      // A full disk ends the log, not the guest.
      this.#capped = true
      this.#room = 0
    }
  }
}

/** Makes the names in a directory durable; without them, a log that is on disk is found by nobody. */
function syncNames(directory: string): void {
  const handle = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** What a guest writes to its two streams. The descriptors behind them lead nowhere: all is taken here, on the way. */
export class GuestOutput {
  readonly #stdout: GuestLog
  readonly #stderr: GuestLog

  constructor(options: {
    readonly stdoutPath: string
    readonly stderrPath: string
    readonly logBytes: number
  }) {
    this.#stdout = new GuestLog(options.stdoutPath, options.logBytes)
    this.#stderr = new GuestLog(options.stderrPath, options.logBytes)
  }

  /** Tells of each stream whether something of it was dropped. */
  get capped(): { readonly stdoutCapped: boolean; readonly stderrCapped: boolean } {
    return { stdoutCapped: this.#stdout.capped, stderrCapped: this.#stderr.capped }
  }

  /** Makes the logs durable, and closes them. */
  close(): void {
    this.#stdout.close()
    this.#stderr.close()
  }

  /** Wraps the functions of WASI so that the streams of one module come here, under whatever number it moves them to. */
  capture(functions: WasiFunctions, memory: () => WasmMemory): WasiFunctions {
    const logs = new Map<number, GuestLog>([
      [STDOUT, this.#stdout],
      [STDERR, this.#stderr],
    ])
    const call = (name: string, values: (number | bigint)[]): unknown =>
      (functions[name] as (...all: (number | bigint)[]) => unknown)(...values)
    const captured: Record<string, (...values: (number | bigint)[]) => unknown> = {
      fd_write: (...values) => {
        const log = logs.get(Number(values[0]))
        if (log === undefined) return call('fd_write', values)
        return writeTo(log, memory().buffer, values.slice(1).map(Number))
      },
      fd_close: (...values) => {
        const answer = call('fd_close', values)
        if (answer === SUCCESS) logs.delete(Number(values[0]))
        return answer
      },
      fd_renumber: (...values) => {
        const [from, to] = values.map(Number)
        const answer = call('fd_renumber', values)
        if (answer !== SUCCESS || from === undefined || to === undefined || from === to) return answer
        const moved = logs.get(from)
        logs.delete(from)
        if (moved === undefined) logs.delete(to)
        else logs.set(to, moved)
        return answer
      },
    }
    return { ...functions, ...(captured as WasiFunctions) }
  }
}

/** Does what `fd_write` does, with the pieces that a list in the guest's memory names; returns an error number of WASI. */
function writeTo(log: GuestLog, buffer: ArrayBuffer, values: readonly number[]): number {
  const [list = 0, count = 0, result = 0] = values.map((value) => value >>> 0)
  if (count > MOST_PIECES) return INVALID
  if (list + count * 8 > buffer.byteLength || result + 4 > buffer.byteLength) return BAD_ADDRESS
  const view = new DataView(buffer)
  const pieces: Uint8Array[] = []
  let total = 0
  for (let at = list; at < list + count * 8; at += 8) {
    const start = view.getUint32(at, true)
    const length = view.getUint32(at + 4, true)
    if (start + length > buffer.byteLength) return BAD_ADDRESS
    pieces.push(new Uint8Array(buffer, start, length))
    total += length
  }
  if (total > 0x7fffffff) return INVALID
  log.write(pieces)
  view.setUint32(result, total, true)
  return SUCCESS
}
