import { readFile } from 'node:fs/promises'
import { WASI } from 'node:wasi'
import type { ProgramReport } from '../keeper/protocol.ts'
import { guardMounts, type WasiFunctions } from './wasm-mounts.ts'
import type { WasmRequest } from './wasm-request.ts'
import { type WasmExports, type WasmInstance, type WasmMemory, webAssembly } from './web-assembly.ts'

const WASI_MODULE = 'wasi_snapshot_preview1'
const FIRST_MOUNT_FD = 3
const PAGE_BYTES = 65_536
/** A guest that trapped with this share of its memory in use is said to have run out of it. */
const NEARLY_ALL = 7 / 8

/** How the runner ends when the guest calls `proc_exit`; called from inside the guest, so it must not return. */
export type ExitNow = (exitCode: number) => never

interface Guest {
  readonly instance: WasmInstance
  readonly memory: WasmMemory
}

/** Loads the modules of a request, links them, and runs the entrypoint. */
export class WasmGuest {
  readonly #request: WasmRequest
  readonly #exitNow: ExitNow
  readonly #loaded = new Map<string, Guest>()
  readonly #loading: string[] = []

  constructor(request: WasmRequest, exitNow: ExitNow) {
    this.#request = request
    this.#exitNow = exitNow
  }

  /** Runs the guest to its end; resolves unless it calls `proc_exit`. */
  async run(): Promise<ProgramReport> {
    const { entrypoint, modulePath } = this.#request
    let guest: Guest
    try {
      guest = await this.#load('the entry module', modulePath)
    } catch (error) {
      return this.#loadFailure(error)
    }
    const { exports } = guest.instance
    const entry = exports[entrypoint]
    if (typeof entry !== 'function') {
      return startFailed(`unable to find the entrypoint '${entrypoint}' in the WASM module`)
    }
    if (entry.length > 0)
      return startFailed(`the entrypoint '${entrypoint}' takes arguments, which none can give`)
    try {
      const initialize = exports['_initialize']
      if (typeof initialize === 'function' && entrypoint !== '_start' && initialize !== entry) initialize()
      entry()
    } catch (error) {
      return this.#trap(error, guest.memory)
    }
    return { exitCode: 0, errorMessage: null, reason: 'exited' }
  }

  async #load(name: string, path: string): Promise<Guest> {
    const known = this.#loaded.get(path)
    if (known !== undefined) return known
    if (this.#loading.includes(path)) throw new Error(`the modules import each other in a circle, at ${name}`)
    this.#loading.push(path)
    const module = await webAssembly.compile(await readFile(path))
    const imports: Record<string, WasmExports> = Object.create(null) as Record<string, WasmExports>
    const { wasi, functions, bind } = this.#wasi()
    for (const needed of new Set(webAssembly.Module.imports(module).map((entry) => entry.module))) {
      if (needed === WASI_MODULE) imports[needed] = functions as WasmExports
      else imports[needed] = (await this.#load(needed, this.#importPath(needed))).instance.exports
    }
    const instance = await webAssembly.instantiate(module, imports)
    const exported = instance.exports['memory']
    const memory = exported instanceof webAssembly.Memory ? exported : new webAssembly.Memory({ initial: 0 })
    // Only the memory is handed over: which function is run, and when, is decided here.
    wasi.initialize({ exports: { memory } })
    bind(memory)
    const guest = { instance, memory }
    this.#loading.pop()
    this.#loaded.set(path, guest)
    return guest
  }

  #importPath(name: string): string {
    const { imports } = this.#request
    if (Object.hasOwn(imports, name)) return imports[name] ?? ''
    throw new Error(`the module imports from '${name}', which is no import module and no input`)
  }

  #wasi(): { wasi: WASI; functions: WasiFunctions; bind: (memory: WasmMemory) => void } {
    const { args, env, mounts } = this.#request
    const wasi = new WASI({
      version: 'preview1',
      args: ['', ...args],
      env: { ...env },
      preopens: Object.fromEntries(mounts.map((mount) => [mount.guestPath, mount.hostPath])),
      stdin: 0,
      stdout: 1,
      stderr: 2,
    })
    let bound: WasmMemory | undefined
    const memory = (): WasmMemory => {
      if (bound === undefined) throw new Error('the guest has no memory')
      return bound
    }
    const readOnly = mounts.flatMap((mount, index) => (mount.writable ? [] : [FIRST_MOUNT_FD + index]))
    const functions = guardMounts(wasi.wasiImport as WasiFunctions, new Set(readOnly), memory)
    const exit = (code: number): never => this.#exitNow(code)
    return {
      wasi,
      functions: { ...functions, proc_exit: exit },
      bind: (given) => {
        bound = given
      },
    }
  }

  #loadFailure(error: unknown): ProgramReport {
    const message = messageOf(error)
    if (/implementation limit|could not allocate memory|out of memory/i.test(message)) {
      const limit = this.#request.memoryBytes
      return {
        exitCode: null,
        errorMessage: `it needs more memory than its limit of ${limit} bytes`,
        reason: 'memory',
      }
    }
    return startFailed(`the WASM module cannot be loaded: ${message}`)
  }

  #trap(error: unknown, memory: WasmMemory): ProgramReport {
    const limit = this.#request.memoryBytes
    const errorMessage = `the WASM module trapped: ${messageOf(error)}`
    const used = memory.buffer.byteLength
    if (used < Math.ceil(limit / PAGE_BYTES) * PAGE_BYTES * NEARLY_ALL) {
      return { exitCode: 1, errorMessage, reason: 'exited' }
    }
    const memoryNote = `with ${used} bytes of memory in use of its limit of ${limit}`
    return { exitCode: 1, errorMessage: `${errorMessage}, ${memoryNote}`, reason: 'memory' }
  }
}

function startFailed(errorMessage: string): ProgramReport {
  return { exitCode: null, errorMessage, reason: 'start-failed' }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
