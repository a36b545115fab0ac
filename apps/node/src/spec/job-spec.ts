import type { Json, TextMap } from '@saltcod/store-core'

/** A name of something that this node or another provides, with its parameters: an engine, a publisher, a source. */
export type TypedParams = {
  /** Compared without regard to case. Empty where nothing was chosen (a task without publisher). */
  readonly type: string
  readonly params: { readonly [name: string]: Json }
}

/** Data that a task finds at `target`. */
export type InputSource = {
  readonly source: TypedParams
  /** Another name for it; empty where none was given. */
  readonly alias: string
  readonly target: string
}

/** A place whose content is kept as a result under `name`. */
export type ResultPath = {
  readonly name: string
  readonly path: string
}

/** What a task asks for, as written: `500m`, `512mb`, `1`; empty where nothing was asked. */
export type RequestedResources = {
  readonly cpu: string
  readonly memory: string
  readonly disk: string
  readonly gpu: string
}

/** Kinds of network access, as Bacalhau names them. */
export const NETWORK_TYPES = ['Default', 'None', 'Host', 'Full', 'HTTP', 'Bridge'] as const

/** One of {@link NETWORK_TYPES}. */
export type NetworkType = (typeof NETWORK_TYPES)[number]

/** A port that a task serves on. */
export type NetworkPort = {
  readonly name: string
  /** The port of the host; 0 for any. */
  readonly static: number
  /** The port inside; 0 where it is the same. */
  readonly target: number
  readonly hostNetwork: string
}

/** What a task may reach, and what may reach it. */
export type NetworkAccess = {
  readonly type: NetworkType
  readonly domains: readonly string[]
  readonly ports: readonly NetworkPort[]
}

/** Limits of time in milliseconds; 0 for none. */
export type Timeouts = {
  readonly executionMs: number
  readonly queueMs: number
  readonly totalMs: number
}

/** One piece of work. A job has exactly one. */
export type Task = {
  readonly name: string
  readonly engine: TypedParams
  readonly publisher: TypedParams
  readonly env: TextMap
  readonly meta: TextMap
  readonly inputSources: readonly InputSource[]
  readonly resultPaths: readonly ResultPath[]
  readonly resources: RequestedResources
  readonly network: NetworkAccess
  readonly timeouts: Timeouts
}

/** A condition on the labels of a node. */
export type Constraint = {
  readonly key: string
  readonly operator: '=' | '!=' | 'in' | 'notin' | 'exists' | '!exists' | 'gt' | 'lt'
  readonly values: readonly string[]
}

/** What a job is to do; kept in the stores as the `spec` of a job and of an execution's job. */
export type JobSpec = {
  readonly tasks: readonly [Task]
  readonly constraints: readonly Constraint[]
  readonly meta: TextMap
}

/** The key of a job's meta that says `true` where running it twice does no harm, so that a restart may run it again. */
export const RERUNNABLE_META_KEY = 'saltcod/rerunnable'

/** Tells whether a job says of itself that running it twice does no harm. */
export function isRerunnable(spec: JobSpec): boolean {
  return spec.meta[RERUNNABLE_META_KEY] === 'true'
}

/** Returns how long a task may run: its execution timeout, or else its total timeout; 0 for no limit. */
export function executionTimeoutMs(task: Task): number {
  return task.timeouts.executionMs > 0 ? task.timeouts.executionMs : task.timeouts.totalMs
}
