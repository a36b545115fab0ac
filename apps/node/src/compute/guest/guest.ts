import { openSync } from 'node:fs'
import { devNull } from 'node:os'
import { WASI } from 'node:wasi'
import type { GuestReport, GuestRequest } from './guest-request.ts'
import type { Modules } from './modules.ts'
import { guardMounts, type WasiFunctions } from './mounts.ts'
import { OpenFiles } from './open-files.ts'
import { GuestOutput } from './output.ts'
import { type WasmExports, type WasmInstance, type WasmMemory, webAssembly } from './web-assembly.ts'

const WASI_MODULE = 'wasi_snapshot_preview1'
const FIRST_MOUNT_FD = 3
const PAGE_BYTES = 65_536
const MESSAGE_LENGTH = 1_000
/** A guest that trapped with this share of its memory in use is said to have run out of it. */
const NEARLY_ALL = 7 / 8

type Ending = Pick<GuestReport, 'exitCode' | 'errorMessage' | 'reason'>

/** Thrown through the guest when it calls `proc_exit`, which must not return to it. */
class GuestExit extends Error {
  readonly exitCode: number

  constructor(exitCode: number) {
    super(`it ended with exit code ${exitCode}`)
    this.exitCode = exitCode
  }
}

interface Guest {
  readonly instance: WasmInstance
  readonly memory: WasmMemory
}

/**
 * Loads the modules of a request, links them, and runs the entrypoint; nothing of it is awaited, so nothing else runs
 * in this process meanwhile.
 */
export class WasmGuest {
  readonly #request: GuestRequest
  readonly #modules: Modules
  readonly #output: GuestOutput
  readonly #openFiles = new OpenFiles()
  readonly #loaded = new Map<string, Guest>()
  readonly #loading: string[] = []
  #exit: GuestExit | undefined

  constructor(request: GuestRequest, modules: Modules) {
    this.#request = request
    this.#modules = modules
    this.#output = new GuestOutput(request)
  }

  /** Runs the guest to its end. `begun` is called before its own code begins. */
  run(begun: () => void): GuestReport {
    let ending = this.#run(begun)
    // Also where the guest caught what `proc_exit` throws, and went on.
    if (this.#exit !== undefined) ending = exited(this.#exit.exitCode)
    this.#output.close()
    return { ...ending, ...this.#output.capped }
  }

  #run(begun: () => void): Ending {
    const { entrypoint, modulePath } = this.#request
    let guest: Guest
    try {
      begun()
      guest = this.#load('the entry module', modulePath)
    } catch (error) {
      // The code of a module begins with its start function, while it is loaded.
      return isTrap(error) ? this.#trap(error, 0) : this.#loadFailure(error)
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
      return this.#trap(error, guest.memory.buffer.byteLength)
    }
    return exited(0)
  }

  #load(name: string, path: string): Guest {
    const known = this.#loaded.get(path)
    if (known !== undefined) return known
    if (this.#loading.includes(path)) throw new Error(`the modules import each other in a circle, at ${name}`)
    this.#loading.push(path)
    const module = this.#modules.load(path)
    const imports: Record<string, WasmExports> = Object.create(null) as Record<string, WasmExports>
    const allNeeded = new Set(webAssembly.Module.imports(module).map((entry) => entry.module))
    const wasi = allNeeded.has(WASI_MODULE) ? this.#wasi() : undefined
    for (const needed of allNeeded) {
      if (needed === WASI_MODULE) imports[needed] = wasi?.functions as WasmExports
      else imports[needed] = this.#load(needed, this.#importPath(needed)).instance.exports
    }
    const instance = new webAssembly.Instance(module, imports)
    const exported = instance.exports['memory']
    const memory = exported instanceof webAssembly.Memory ? exported : new webAssembly.Memory({ initial: 0 })
    wasi?.bind(memory)
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

  #wasi(): { functions: WasiFunctions; bind: (memory: WasmMemory) => void } {
    const { args, env, mounts } = this.#request
    // Descriptors of its own, since a guest may close them, and those of this process are not its business.
    const nowhere = (): number => openSync(devNull, 'r+')
    const wasi = new WASI({
      version: 'preview1',
      args: ['', ...args],
      env: { ...env },
      preopens: Object.fromEntries(mounts.map((mount) => [mount.guestPath, mount.hostPath])),
      stdin: nowhere(),
      stdout: nowhere(),
      stderr: nowhere(),
    })
    let bound: WasmMemory | undefined
    const memory = (): WasmMemory => {
      if (bound === undefined) throw new Error('the guest has no memory')
      return bound
    }
    const readOnly = mounts.flatMap((mount, index) => (mount.writable ? [] : [FIRST_MOUNT_FD + index]))
    const guarded = guardMounts(wasi.wasiImport as WasiFunctions, new Set(readOnly), memory)
    const functions = this.#output.capture(this.#openFiles.bound(guarded), memory)
    const exit = (code: number): never => {
      this.#exit ??= new GuestExit(code)
      throw this.#exit
    }
    return {
      functions: { ...functions, proc_exit: exit },
      bind: (given) => {
        // Only the memory is handed over: which function is run, and when, is decided here.
        wasi.initialize({ exports: { memory: given } })
        bound = given
      },
    }
  }

  #loadFailure(error: unknown): Ending {
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

  #trap(error: unknown, used: number): Ending {
    const limit = this.#request.memoryBytes
    const errorMessage = `the WASM module trapped: ${messageOf(error)}`
    if (used < Math.ceil(limit / PAGE_BYTES) * PAGE_BYTES * NEARLY_ALL) {
      return { exitCode: 1, errorMessage, reason: 'exited' }
    }
    const memoryNote = `with ${used} bytes of memory in use of its limit of ${limit}`
    return { exitCode: 1, errorMessage: `${errorMessage}, ${memoryNote}`, reason: 'memory' }
  }
}

/** Tells what a guest's own code does from what hinders its loading, which the system says in words of its own. */
function isTrap(error: unknown): boolean {
  const thrown = error instanceof webAssembly.RuntimeError || error instanceof RangeError
  return thrown && !error.message.startsWith('WebAssembly.')
}

function exited(exitCode: number): Ending {
  return { exitCode, errorMessage: null, reason: 'exited' }
}

function startFailed(errorMessage: string): Ending {
  return { exitCode: null, errorMessage, reason: 'start-failed' }
}

/** Without the names of any length that a module may have. */
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.length > MESSAGE_LENGTH ? `${message.slice(0, MESSAGE_LENGTH)}…` : message
}
