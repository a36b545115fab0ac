import { readFile } from 'node:fs/promises'
import { Failure, type Terminal } from '@saltcod/cli-kit'
import { parseLabelSelector } from '@saltcod/store-core'
import { EXIT } from '../../exit-code.ts'
import type { JobObject } from '../../job-file/job-of.ts'
import { inputOf, isUri, publisherOf, type SourceUri, splitTarget } from '../source-uri.ts'
import { type SubmitFlags, submitJob } from './job-run.ts'

/** Options of `wasm run`, named as Bacalhau names them. */
export interface WasmRunOptions extends SubmitFlags {
  readonly name?: string
  readonly namespace?: string
  readonly priority?: number
  readonly labels?: readonly string[]
  readonly count?: number
  readonly target: 'any' | 'all'
  readonly constraints?: string
  readonly taskName: string
  readonly input?: readonly SourceUri[]
  readonly output?: readonly (readonly [string, string])[]
  readonly publisher?: SourceUri
  readonly cpu?: string
  readonly memory?: string
  readonly disk?: string
  readonly gpu?: string
  readonly network?: string
  readonly domain?: readonly string[]
  readonly timeout?: number
  readonly queueTimeout?: number
  readonly env?: readonly (readonly [string, string])[]
  readonly entryPoint: string
  readonly importModules?: readonly string[]
}

const DEFAULT_TARGET = '/inputs'
const MODULE_TARGET = '/main.wasm'

/** Runs a module of WebAssembly: a file, a URI, or the target of an input. */
export async function wasmRun(
  terminal: Terminal,
  entryModule: string,
  args: readonly string[],
  options: WasmRunOptions,
): Promise<void> {
  await submitJob(terminal, await jobOfFlags(entryModule, args, options), options)
}

/** Makes the job that the command line describes. Throws a `Failure` where its module cannot be read. */
async function jobOfFlags(
  entryModule: string,
  args: readonly string[],
  options: WasmRunOptions,
): Promise<JobObject> {
  const { input = [], output = [], env = [], labels = [], domain = [], network, importModules = [] } = options
  const inputs = input.map((given) => ({
    Source: inputOf(given),
    Alias: given.source,
    Target: given.target ?? DEFAULT_TARGET,
  }))
  const module = await moduleOf(entryModule, new Set(inputs.map(({ Target }) => Target)))
  const { cpu, memory, disk, gpu, timeout, queueTimeout, publisher } = options
  const task = {
    Name: options.taskName,
    Engine: {
      Type: 'wasm',
      Params: {
        EntryModule: module.target,
        Entrypoint: options.entryPoint,
        Parameters: args,
        ...given({ ImportModules: importModules.length === 0 ? undefined : importModules }),
      },
    },
    ...given({
      Publisher: publisher === undefined ? undefined : publisherOf(publisher),
      Env: env.length === 0 ? undefined : Object.fromEntries(env),
      Network: network === undefined && domain.length === 0 ? undefined : { Type: network, Domains: domain },
    }),
    InputSources: [...inputs, ...module.inputs],
    ResultPaths: output.map(([Name, Path]) => ({ Name, Path })),
    Resources: given({ CPU: cpu, Memory: memory, Disk: disk, GPU: gpu }),
    Timeouts: given({ TotalTimeout: timeout, QueueTimeout: queueTimeout }),
  }
  return {
    ...given({ Name: options.name, Namespace: options.namespace, Priority: options.priority }),
    Type: options.target === 'all' ? 'ops' : 'batch',
    ...given({ Count: options.count }),
    ...(options.constraints === undefined ? {} : { Constraints: constraintsOf(options.constraints) }),
    ...(labels.length === 0 ? {} : { Labels: Object.fromEntries(labels.map(labelOf)) }),
    Tasks: [task],
  }
}

interface Module {
  readonly target: string
  readonly inputs: readonly object[]
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

function constraintsOf(selector: string): readonly object[] {
  return parseLabelSelector(selector).map(({ key, operator, values }) => ({
    Key: key,
    Operator: operator === '!exists' ? '!' : operator,
    Values: values,
  }))
}

function labelOf(label: string): readonly [string, string] {
  const at = label.indexOf('=')
  return at === -1 ? [label, ''] : [label.slice(0, at), label.slice(at + 1)]
}

/** Leaves out what is not given. */
function given<Fields extends Readonly<Record<string, unknown>>>(fields: Fields): Partial<Fields> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Partial<Fields>
}
