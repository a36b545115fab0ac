import { readFile } from 'node:fs/promises'
import { Failure, type Terminal } from '@saltcod/cli-kit'
import { EXIT } from '../../exit-code.ts'
import { type FlaggedInput, inputsOfFlags, type JobFlags, jobOfFlags } from '../flagged-job.ts'
import { inputOf, isUri, splitTarget } from '../source-uri.ts'
import { type SubmitFlags, submitJob } from './job-run.ts'

/** Options of `wasm run`, named as Bacalhau names them. */
export interface WasmRunOptions extends SubmitFlags, JobFlags {
  readonly entryPoint: string
  readonly importModules?: readonly string[]
}

const MODULE_TARGET = '/main.wasm'

/** Runs a module of WebAssembly: a file, a URI, or the target of an input. */
export async function wasmRun(
  terminal: Terminal,
  entryModule: string,
  args: readonly string[],
  options: WasmRunOptions,
): Promise<void> {
  const { importModules = [] } = options
  const inputs = inputsOfFlags(options)
  const module = await moduleOf(entryModule, new Set(inputs.map(({ Target }) => Target)))
  const engine = {
    Type: 'wasm',
    Params: {
      EntryModule: module.target,
      Entrypoint: options.entryPoint,
      Parameters: args,
      ...(importModules.length === 0 ? {} : { ImportModules: importModules }),
    },
  }
  await submitJob(terminal, jobOfFlags(engine, [...inputs, ...module.inputs], options), options)
}

interface Module {
  readonly target: string
  readonly inputs: readonly FlaggedInput[]
}

async function moduleOf(entryModule: string, targets: ReadonlySet<string>): Promise<Module> {
  if (targets.has(entryModule)) return { target: entryModule, inputs: [] }
  const { source, target = MODULE_TARGET } = splitTarget(entryModule)
  if (isUri(source)) {
    const Source = inputOf({ source, target, options: new Map() })
    return { target, inputs: [{ Source, Alias: source, Target: target }] }
  }
  try {
    const URL = `data:application/wasm;base64,${(await readFile(source)).toString('base64')}`
    return { target, inputs: [{ Source: { Type: 'inline', Params: { URL } }, Target: target }] }
  } catch (error) {
    throw new Failure(
      EXIT.failed,
      `cannot read the module ${source}: it is no file, and no --input has it as its target`,
      {
        hint: 'give a file, a URI such as http://HOST/main.wasm, or the target of an --input',
        cause: error,
      },
    )
  }
}
