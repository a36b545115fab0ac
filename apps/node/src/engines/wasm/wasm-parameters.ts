import { posix } from 'node:path'
import { mountPath, mountPathProblem } from '../../inputs/mount-path.ts'
import { inputPath } from '../../inputs/placement.ts'
import { Parameters } from '../parameters.ts'
import type { InputSource, SpecConfig } from '../task.ts'

/** A module: where the job's file system holds it, and the name that others import it by. */
export interface ModuleReference {
  readonly path: string
  readonly importName: string
}

/** The parameters of the WebAssembly engine, in the forms of all releases of Bacalhau brought to one. */
export interface WasmParameters {
  readonly entryModule: ModuleReference
  readonly entrypoint: string
  readonly args: readonly string[]
  readonly importModules: readonly ModuleReference[]
  /** Inputs that the older form names inside the parameters. */
  readonly inputs: readonly InputSource[]
  /** The older form's environment. */
  readonly env: Readonly<Record<string, string>>
  readonly problems: readonly string[]
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Reads an input source whose names may be in any case; undefined when the value is none. */
function asInputSource(value: unknown, defaultTarget: string): InputSource | undefined {
  if (!isRecord(value)) return undefined
  const fields = new Map(Object.entries(value).map(([name, field]) => [name.toLowerCase(), field]))
  const source = fields.get('source')
  if (!isRecord(source)) return undefined
  const inner = new Map(Object.entries(source).map(([name, field]) => [name.toLowerCase(), field]))
  const type = inner.get('type')
  const params = inner.get('params')
  if (typeof type !== 'string' || type === '') return undefined
  const target = fields.get('target')
  const alias = fields.get('alias')
  return {
    Source: { Type: type, Params: isRecord(params) ? params : null },
    Alias: typeof alias === 'string' ? alias : null,
    Target: typeof target === 'string' && target !== '' ? target : defaultTarget,
  }
}

class ModuleReader {
  readonly inputs: InputSource[] = []
  readonly #parameters: Parameters

  constructor(parameters: Parameters) {
    this.#parameters = parameters
  }

  read(name: string, value: unknown, defaultTarget: string): ModuleReference {
    if (typeof value === 'string') {
      const problem = mountPathProblem(value)
      if (problem !== undefined) this.#parameters.reject(name, problem)
      return { path: problem === undefined ? mountPath(value) : '/', importName: value }
    }
    const input = asInputSource(value, defaultTarget)
    if (input === undefined) {
      this.#parameters.reject(name, 'must be the target path of an input, or an input source')
      return { path: '/', importName: '' }
    }
    const problem = mountPathProblem(input.Target)
    if (problem !== undefined) this.#parameters.reject(name, `has a Target that ${problem}`)
    this.inputs.push(input)
    const path = problem === undefined ? inputPath(input) : '/'
    return { path, importName: input.Alias || path }
  }
}

function readEnv(parameters: Parameters): Readonly<Record<string, string>> {
  const value = parameters.value('EnvironmentVariables')
  if (value === undefined) return {}
  if (isRecord(value) && Object.values(value).every((item) => typeof item === 'string')) {
    return value as Readonly<Record<string, string>>
  }
  parameters.reject('EnvironmentVariables', 'must be an object of texts')
  return {}
}

/** Reads the parameters of the WebAssembly engine; what is wrong with them is listed in `problems`. */
export function readWasmParameters(params: SpecConfig['Params']): WasmParameters {
  const parameters = new Parameters('wasm', params)
  const modules = new ModuleReader(parameters)
  const entry = parameters.value('EntryModule')
  if (entry === undefined) parameters.reject('EntryModule', 'is missing; give the target path of an input')
  const entryModule =
    entry === undefined
      ? { path: '/', importName: '' }
      : modules.read('EntryModule', entry, '/wasm/entry.wasm')
  const listed = parameters.value('ImportModules') ?? []
  if (!Array.isArray(listed)) parameters.reject('ImportModules', 'must be a list')
  const importModules = (Array.isArray(listed) ? listed : []).map((value: unknown, index) =>
    modules.read(`ImportModules[${index}]`, value, posix.join('/wasm/imports', `module_${index}.wasm`)),
  )
  return {
    entryModule,
    entrypoint: parameters.text('Entrypoint') || '_start',
    args: parameters.texts('Parameters'),
    importModules,
    inputs: modules.inputs,
    env: readEnv(parameters),
    problems: parameters.problems,
  }
}
