import { readFileSync } from 'node:fs'
import { type WasmModule, webAssembly } from './web-assembly.ts'

/** So many modules are kept. */
const MOST_KEPT = 4
/** A larger one is compiled anew each time, so that what is kept stays small. */
const LARGEST_BYTES = 8 * 1024 * 1024

interface Kept {
  readonly bytes: Buffer
  readonly module: WasmModule
}

/**
 * The modules of a runner, compiled. A module has no state of its own, so guests of the same bytes may share one; each
 * has an instance of its own.
 */
export class Modules {
  /** The one that was used last comes last. */
  readonly #kept: Kept[] = []

  /** Reads a file and compiles it, where these bytes were not compiled before. Throws what either throws. */
  load(path: string): WasmModule {
    const bytes = readFileSync(path)
    const index = this.#kept.findIndex((one) => one.bytes.equals(bytes))
    const kept = this.#kept.splice(index, index < 0 ? 0 : 1)[0] ?? { bytes, module: compile(bytes) }
    if (bytes.length <= LARGEST_BYTES) this.#kept.push(kept)
    if (this.#kept.length > MOST_KEPT) this.#kept.shift()
    return kept.module
  }
}

function compile(bytes: Buffer): WasmModule {
  return new webAssembly.Module(bytes)
}
