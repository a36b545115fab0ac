import { closeSync, constants, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { CappedFile } from '../files/capped-file.ts'
import type { GuestRequest } from './guest-request.ts'
import type { WasiFunctions } from './mounts.ts'
import type { WasmMemory } from './web-assembly.ts'

const SUCCESS = 0
const BAD_ADDRESS = 21
const INVALID = 28
const MOST_PIECES = 1_024
const STDOUT = 1
const STDERR = 2

/** Makes a log durable, and closes it; one that was never written to was never made. */
function closeLog(log: CappedFile): void {
  const file = log.descriptor
  if (file === undefined) return
  try {
    fsyncSync(file)
    const directory = dirname(log.path)
    syncNames(directory)
    syncNames(dirname(directory))
  } catch {
    log.drop()
  }
  closeSync(file)
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
  readonly #stdout: CappedFile
  readonly #stderr: CappedFile

  constructor({ stdoutPath, stderrPath, logBytes }: GuestRequest) {
    this.#stdout = new CappedFile(stdoutPath, logBytes)
    this.#stderr = new CappedFile(stderrPath, logBytes)
  }

  /** Tells of each stream whether something of it was dropped. */
  get capped(): { readonly stdoutCapped: boolean; readonly stderrCapped: boolean } {
    return { stdoutCapped: this.#stdout.capped, stderrCapped: this.#stderr.capped }
  }

  /** Makes the logs durable, and closes them. */
  close(): void {
    closeLog(this.#stdout)
    closeLog(this.#stderr)
  }

  /**
   * Wraps the functions of WASI so that the streams of one module come here, under whatever number it moves them to.
   */
  capture(functions: WasiFunctions, memory: () => WasmMemory): WasiFunctions {
    const logs = new Map<number, CappedFile>([
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

/**
 * Does what `fd_write` does, with the pieces that a list in the guest's memory names; returns an error number of WASI.
 */
function writeTo(log: CappedFile, buffer: ArrayBuffer, values: readonly number[]): number {
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
  for (const piece of pieces) log.write(piece)
  view.setUint32(result, total, true)
  return SUCCESS
}
