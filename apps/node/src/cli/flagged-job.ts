import { parseLabelSelector } from '@saltcod/store-core'
import type { JobObject } from '../job-file/job-of.ts'
import { inputOf, publisherOf, type SourceUri } from './source-uri.ts'

/** What the command line says of a job whose task it describes, named as Bacalhau names it. */
export interface JobFlags {
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
}

const DEFAULT_TARGET = '/inputs'

/** An input as a job has it. */
export interface FlaggedInput {
  readonly Source: object
  readonly Alias?: string
  readonly Target: string
}

/** Makes the inputs that the command line names. */
export function inputsOfFlags({ input = [] }: JobFlags): readonly FlaggedInput[] {
  return input.map((source) => ({
    Source: inputOf(source),
    Alias: source.source,
    Target: source.target ?? DEFAULT_TARGET,
  }))
}

/** Makes the job that the command line describes, with an engine and with all its inputs. */
export function jobOfFlags(Engine: object, InputSources: readonly object[], options: JobFlags): JobObject {
  const { output = [], env = [], labels = [], domain = [], network } = options
  const { cpu, memory, disk, gpu, timeout, queueTimeout, publisher } = options
  const task = {
    Name: options.taskName,
    Engine,
    ...given({
      Publisher: publisher === undefined ? undefined : publisherOf(publisher),
      Env: env.length === 0 ? undefined : Object.fromEntries(env),
      Network: network === undefined && domain.length === 0 ? undefined : { Type: network, Domains: domain },
    }),
    InputSources,
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
