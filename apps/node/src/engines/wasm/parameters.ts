import { posix } from 'node:path'
import { z } from 'zod'
import { mountPath, mountPathProblem } from '../../inputs/mount-path.ts'
import { inputPath } from '../../inputs/placement.ts'
import { type InputSource, inputSourceSchema } from '../../spec/job-spec.ts'
import { keysOf, spellKeys } from '../../spec/loose-keys.ts'
import { type Declaration, optionalText, texts } from '../../spec/parameters.ts'

/** A module: where the job's file system holds it, and the name that others import it by. */
export interface ModuleReference {
  readonly path: string
  readonly importName: string
  /** The input that brings it in; absent where the task lists it. */
  readonly input?: InputSource
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
}

const INPUT_KEYS = keysOf(inputSourceSchema)

function asInputSource(value: unknown, defaultTarget: string): InputSource | undefined {
  const { value: spelled, clashes } = spellKeys(value, INPUT_KEYS)
  const read = inputSourceSchema.safeParse(spelled)
  if (clashes.length > 0 || !read.success || read.data.Source.Type === '') return undefined
  return { ...read.data, Target: read.data.Target || defaultTarget }
}

/** Reads a module, or says what is wrong with it. */
function readModule(value: unknown, defaultTarget: string): ModuleReference | string {
  if (typeof value === 'string') {
    return mountPathProblem(value) ?? { path: mountPath(value), importName: value }
  }
  const input = asInputSource(value, defaultTarget)
  if (input === undefined)
    return 'must be the target path of an input, or an input source whose keys are each there once'
  const problem = mountPathProblem(input.Target)
  if (problem !== undefined) return `has a Target that ${problem}`
  const path = inputPath(input)
  return { path, importName: input.Alias || path, input }
}

const entryModule = z
  .unknown()
  .optional()
  .transform((value, context): ModuleReference => {
    const missing = (value ?? null) === null
    const read = missing
      ? 'is missing; give the target path of an input'
      : readModule(value, '/wasm/entry.wasm')
    if (typeof read !== 'string') return read
    context.addIssue({ code: 'custom', message: read })
    return z.NEVER
  })

const importModules = z
  .array(z.unknown())
  .nullish()
  .transform((values, context): readonly ModuleReference[] =>
    (values ?? []).flatMap((value, index) => {
      const read = readModule(value, posix.join('/wasm/imports', `module_${index}.wasm`))
      if (typeof read !== 'string') return [read]
      context.addIssue({ code: 'custom', path: [index], message: read })
      return []
    }),
  )

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject && Object.values(value).every((item) => typeof item === 'string')
}

const environment = z
  .custom<Readonly<Record<string, string>>>(isTexts, 'must be an object of texts')
  .nullish()

const parameters: z.ZodType<WasmParameters> = z
  .object({
    EntryModule: entryModule,
    Entrypoint: optionalText,
    Parameters: texts,
    ImportModules: importModules,
    EnvironmentVariables: environment,
  })
  .transform(({ EntryModule, Entrypoint, Parameters, ImportModules, EnvironmentVariables }) => ({
    entryModule: EntryModule,
    entrypoint: Entrypoint || '_start',
    args: Parameters,
    importModules: ImportModules,
    inputs: [EntryModule, ...ImportModules].flatMap(({ input }) => input ?? []),
    env: EnvironmentVariables ?? {},
  }))

/** What a job may say to the engine. */
export const WASM: Declaration<WasmParameters> = { type: 'wasm', parameters }
