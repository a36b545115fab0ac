import { posix } from 'node:path'
import { type InputSource, inputSourceSchema } from '@saltcod/bacalhau-records'
import { z } from 'zod'
import { mountPathProblem } from '../../inputs/mount-path.ts'
import { inputPath } from '../../inputs/placement.ts'
import { keysOf, spellKeys } from '../../spec/loose-keys.ts'
import { type Declaration, optionalText, texts } from '../../spec/parameters.ts'

/** A module: how the job names it, which is a path or the alias of an input, and how others may import it. */
export interface ModuleReference {
  readonly name: string
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

const MISSING = 'is missing; give the Target or the Alias of an input'

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
    const name = value.trim()
    if (name === '') return MISSING
    return name.includes('\0') ? 'must not hold a NUL character' : { name }
  }
  const input = asInputSource(value, defaultTarget)
  if (input === undefined)
    return 'must be the Target or the Alias of an input, or an input source whose keys are each there once'
  const problem = mountPathProblem(input.Target)
  if (problem !== undefined) return `has a Target that ${problem}`
  return { name: inputPath(input), input }
}

const entryModule = z
  .unknown()
  .optional()
  .transform((value, context): ModuleReference => {
    const missing = (value ?? null) === null
    const read = missing ? MISSING : readModule(value, '/wasm/entry.wasm')
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
