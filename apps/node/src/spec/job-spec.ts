import type { Json, TextMap } from '@saltcod/store-core'

// A specification is kept in the shape in which people write it, so that nothing is lost between a file and an answer.

/** The kind of an engine, a publisher or an input source, with its parameters. */
export type SpecConfig = {
  /** Compared without regard to case. Empty where nothing was chosen (a task without publisher). */
  readonly Type: string
  readonly Params: { readonly [name: string]: Json }
}

/** Data that a task finds at `Target`. */
export type InputSource = {
  readonly Source: SpecConfig
  /** Another name for it; empty where none was given. */
  readonly Alias: string
  readonly Target: string
}

/** A place whose content is kept as a result under `Name`. */
export type ResultPath = {
  readonly Name: string
  readonly Path: string
}

/** What a task asks for, as written: `500m`, `512mb`, `1`; empty where nothing was asked. */
export type RequestedResources = {
  readonly CPU: string
  readonly Memory: string
  readonly Disk: string
  readonly GPU: string
}

/** Kinds of network access. */
export const NETWORK_TYPES = ['Default', 'None', 'Host', 'Full', 'HTTP', 'Bridge'] as const

/** One of {@link NETWORK_TYPES}. */
export type NetworkType = (typeof NETWORK_TYPES)[number]

/** A port that a task serves on. */
export type NetworkPort = {
  readonly Name: string
  /** The port of the host; 0 for any. */
  readonly Static: number
  /** The port inside; 0 where it is the same. */
  readonly Target: number
  readonly HostNetwork: string
}

/** What a task may reach, and what may reach it. */
export type NetworkAccess = {
  readonly Type: NetworkType
  readonly Domains: readonly string[]
  readonly Ports: readonly NetworkPort[]
}

/** Limits of time in whole seconds; 0 for none. */
export type Timeouts = {
  readonly ExecutionTimeout: number
  readonly QueueTimeout: number
  readonly TotalTimeout: number
}

/** One piece of work. */
export type Task = {
  readonly Name: string
  readonly Engine: SpecConfig
  readonly Publisher: SpecConfig
  readonly Env: TextMap
  readonly Meta: TextMap
  readonly InputSources: readonly InputSource[]
  readonly ResultPaths: readonly ResultPath[]
  readonly Resources: RequestedResources
  readonly Network: NetworkAccess
  readonly Timeouts: Timeouts
}

/** A condition on the labels of a node. */
export type Constraint = {
  readonly Key: string
  readonly Operator: '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt'
  readonly Values: readonly string[]
}

/** What a job is to do; kept in the stores as the `spec` of a job and of an execution's job. */
export type JobSpec = {
  /** Exactly one. */
  readonly Tasks: readonly Task[]
  readonly Constraints: readonly Constraint[]
  readonly Meta: TextMap
}

/** The key of a job's meta that says `true` where running it twice does no harm, so that a restart may run it again. */
const RERUNNABLE_META_KEY = 'saltcod/rerunnable'

/** Tells whether a job says of itself that running it twice does no harm. */
export function isRerunnable(spec: JobSpec): boolean {
  return spec.Meta[RERUNNABLE_META_KEY] === 'true'
}

/** The key of a job's meta that says `true` where a program that ends with another code than 0 has failed. */
const FAIL_ON_EXIT_CODE_META_KEY = 'saltcod/fail-on-exit-code'

/** Tells whether a program of a job that ends with another code than 0 has failed. */
export function failsOnExitCode(spec: Pick<JobSpec, 'Meta'>): boolean {
  return spec.Meta[FAIL_ON_EXIT_CODE_META_KEY] === 'true'
}

/** Returns how long a task may run, in milliseconds: its execution timeout, or else its total timeout; 0 for no limit. */
export function executionTimeoutMs(task: Task): number {
  const { ExecutionTimeout, TotalTimeout } = task.Timeouts
  return (ExecutionTimeout > 0 ? ExecutionTimeout : TotalTimeout) * 1000
}

/** Returns the task of a job. Throws `TypeError` for a specification without one. */
export function onlyTask(spec: JobSpec): Task {
  const [task] = spec.Tasks
  if (task === undefined) throw new TypeError('the job has no task')
  return task
}
