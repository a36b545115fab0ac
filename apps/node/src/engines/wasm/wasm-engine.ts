import { existsSync, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { GuestMount, GuestRequest } from '../../compute/guest/guest-request.ts'
import { Keeper } from '../../compute/keeper/keeper.ts'
import { outcomeOf } from '../../compute/keeper/outcome.ts'
import { logFile } from '../../compute/keeper/work-files.ts'
import type { ExecutionWork } from '../../inputs/work.ts'
import { parameterLines, readParameters } from '../../spec/parameters.ts'
import type { Availability, Engine, EngineRun, PreparedRun, PrepareOptions } from '../engine.ts'
import { jobEnvironment } from '../environment.ts'
import { failedStart } from '../failed-start.ts'
import { importNames, modulePath } from './modules.ts'
import { type ModuleReference, WASM, type WasmParameters } from './parameters.ts'

const PAGE_BYTES = 65_536
const MOST_PAGES = 65_536

/** Options of {@link WasmEngine}. */
export interface WasmOptions {
  /** The most memory of a guest, whatever its job asks for. Default: what WebAssembly can address. */
  readonly memoryLimitBytes?: number
  /** True: each guest has a process of its own. False: those of one namespace may follow each other in one. */
  readonly freshProcess?: boolean
  /** Looks after the guests; default: one of the engine's own. */
  readonly keeper?: Keeper
}

/** Finds the file of a module: what it names, or in a directory the only `.wasm` file, or the only one at all. */
function moduleFile(work: ExecutionWork, name: string): string | undefined {
  const path = modulePath(name, work.inputs)
  if (path === undefined) return undefined
  const input = work.inputs.find(({ target, kind }) => target === path && kind === 'file')
  if (input !== undefined) return input.hostPath
  const hostPath = join(work.rootDir, path)
  const status = lstatSync(hostPath, { throwIfNoEntry: false })
  if (status?.isFile() === true) return hostPath
  if (status?.isDirectory() !== true) return undefined
  const names = readdirSync(hostPath)
  const modules = names.filter((name) => name.endsWith('.wasm'))
  const [only] = modules.length === 0 && names.length === 1 ? names : modules
  if (only === undefined || modules.length > 1) return undefined
  const file = join(hostPath, only)
  return lstatSync(file).isFile() ? file : undefined
}

/** The guest's file system: everything readable below `/`, each result directory writable by path and by name. */
function mountsOf(work: ExecutionWork): readonly GuestMount[] {
  const mounts: GuestMount[] = [{ guestPath: '/', hostPath: work.rootDir, writable: false }]
  const writable = new Map(work.results.map((result) => [result.path, result.hostPath]))
  for (const { name, hostPath } of work.results) {
    const byName = `/${name}`
    if (!writable.has(byName) && !existsSync(join(work.rootDir, name))) writable.set(byName, hostPath)
  }
  for (const [guestPath, hostPath] of writable) mounts.push({ guestPath, hostPath, writable: true })
  return mounts
}

/**
 * Every module that may be imported: the listed ones and the inputs, by name, alias, path and last part of the path.
 */
function importsOf(work: ExecutionWork, modules: readonly ModuleReference[]): Record<string, string> {
  const imports: Record<string, string> = Object.create(null) as Record<string, string>
  const named = [
    ...modules.map(({ name, input }) => ({ name, others: [input?.Alias ?? '', name] })),
    ...work.inputs.map(({ target, alias }) => ({ name: target, others: [alias] })),
  ].flatMap(({ name, others }) => {
    const file = moduleFile(work, name)
    const path = modulePath(name, work.inputs)
    return file === undefined || path === undefined ? [] : [{ file, names: importNames(path, others) }]
  })
  // A name that says more of one module goes before one that says less of another.
  const most = Math.max(0, ...named.map(({ names }) => names.length))
  for (let back = most; back > 0; back -= 1) {
    for (const { file, names } of named) {
      const name = names.at(-back)
      if (name !== undefined && !(name in imports)) imports[name] = file
    }
  }
  return imports
}

/**
 * Runs a WebAssembly program (WASI preview 1) in a process of its own with bounded time and memory. The guest
 * sees its inputs read-only below `/` and its result directories; the clock and random numbers; no network.
 * This keeps honest programs apart; against a hostile author it is no stronger than Node's own WASI.
 */
export class WasmEngine implements Engine {
  readonly type: string = WASM.type
  readonly #freshProcess: boolean
  readonly keeper: Keeper
  readonly #memoryLimitBytes: number

  constructor(options: WasmOptions = {}) {
    this.#memoryLimitBytes = options.memoryLimitBytes ?? MOST_PAGES * PAGE_BYTES
    this.#freshProcess = options.freshProcess ?? false
    this.keeper = options.keeper ?? new Keeper()
  }

  available(): Promise<Availability> {
    if (existsSync('/proc/self/stat')) return Promise.resolve({ ok: true })
    return Promise.resolve({ ok: false, reason: 'the wasm engine needs Linux with /proc mounted' })
  }

  labels(): Promise<Readonly<Record<string, string>>> {
    return Promise.resolve({})
  }

  async prepare(run: EngineRun, options: PrepareOptions): Promise<PreparedRun> {
    const { work, limits } = run
    const read = readParameters(WASM, run.task.Engine.Params)
    if ('problems' in read) return failedStart(parameterLines(WASM, run.task.Engine.Params).join('; '))
    const parameters = read.data
    for (const { name } of [parameters.entryModule, ...parameters.importModules]) {
      if (moduleFile(work, name) === undefined) {
        return failedStart(
          `wasm: no input brings in the module ${name}; give the Target or the Alias of the input that does`,
        )
      }
    }
    const kept = this.keeper.prepare(
      {
        kind: 'guest',
        executionId: run.executionId,
        attempt: run.attempt,
        workDir: work.workDir,
        cwd: work.rootDir,
        timeMs: limits.timeMs,
        graceMs: 0,
        memoryBytes: this.#memoryBytes(run),
        logBytes: limits.logBytes,
        outputBytes: limits.outputBytes,
        request: this.#request(run, parameters),
        sharing: this.#freshProcess ? null : run.job.namespace,
      },
      options.signal,
    )
    return {
      process: kept.process,
      go: async () => outcomeOf(work.workDir, await kept.go()),
      abandon: () => Promise.resolve(),
    }
  }

  #memoryBytes({ limits }: EngineRun): number {
    return Math.min(limits.memoryBytes ?? this.#memoryLimitBytes, this.#memoryLimitBytes)
  }

  #request(run: EngineRun, parameters: WasmParameters): GuestRequest {
    const { entryModule, entrypoint, args, importModules, env } = parameters
    return {
      modulePath: moduleFile(run.work, entryModule.name) ?? '',
      entrypoint,
      args,
      env: jobEnvironment({ ...run, task: { ...run.task, Env: { ...env, ...run.task.Env } } }),
      mounts: mountsOf(run.work),
      imports: importsOf(run.work, importModules),
      memoryBytes: this.#memoryBytes(run),
      stdoutPath: logFile(run.work.workDir, 'stdout'),
      stderrPath: logFile(run.work.workDir, 'stderr'),
      logBytes: run.limits.logBytes,
    }
  }
}
