import { z } from 'zod'
import {
  json,
  listOf,
  mapOf,
  quantity,
  section,
  text,
  textMap,
  trimmed,
  whole,
  wholeNumber,
  wordOf,
} from './field.ts'
import type { Frozen } from './frozen.ts'

// The one place where the shape of a job stands. Its types, the keys that are read, and what is said of a wrong form
// come from here. It is kept in the shape in which people write it, so that nothing is lost between a file and an
// answer.

const specConfig = section({
  /** Compared without regard to case. Empty where nothing was chosen (a task without publisher). */
  Type: trimmed,
  Params: mapOf(json),
})

/** The kind of an engine, a publisher or an input source, with its parameters. */
export type SpecConfig = Frozen<z.output<typeof specConfig>>

/** The keys of {@link InputSource}; a module of WebAssembly is one too. */
export const inputSourceSchema = z.object({
  Source: specConfig,
  /** Another name for it; empty where none was given. */
  Alias: trimmed,
  Target: trimmed,
})

/** Data that a task finds at `Target`. */
export type InputSource = Frozen<z.output<typeof inputSourceSchema>>

const resultPath = z.object({ Name: trimmed, Path: trimmed })

/** A place whose content is kept as a result under `Name`. */
export type ResultPath = Frozen<z.output<typeof resultPath>>

/**
 * The folder of the published results that a result path becomes: its name, which may be written as a path,
 * `/outputs`.
 */
export function resultFolder(name: string): string {
  return name.replace(/^\/+|\/+$/g, '')
}

const resources = section({ CPU: quantity, Memory: quantity, Disk: quantity, GPU: quantity })

/** What a task asks for, as written: `500m`, `512mb`, `1`; empty where nothing was asked. */
export type RequestedResources = Frozen<z.output<typeof resources>>

const network = section({
  Type: wordOf(['Default', 'None', 'Host', 'Full', 'HTTP', 'Bridge']),
  Domains: listOf(z.string().transform((domain) => domain.trim().toLowerCase())),
  /** The port of the host (`Static`) is 0 for any; that inside (`Target`) where it is the same. */
  Ports: listOf(z.object({ Name: trimmed, Static: whole, Target: whole, HostNetwork: trimmed })),
})

/** What a task may reach, and what may reach it. */
export type NetworkAccess = Frozen<z.output<typeof network>>

/** Limits of time in whole seconds; 0 for none. */
const timeouts = section({ ExecutionTimeout: whole, QueueTimeout: whole, TotalTimeout: whole })

const task = z.object({
  Name: trimmed,
  Engine: specConfig,
  Publisher: specConfig,
  Env: textMap,
  Meta: textMap,
  InputSources: listOf(inputSourceSchema),
  ResultPaths: listOf(resultPath),
  Resources: resources,
  Network: network,
  Timeouts: timeouts,
})

/** One piece of work. */
export type Task = Frozen<z.output<typeof task>>

/** The operators of a constraint. */
export const OPERATORS = ['=', '==', '!=', 'in', 'notin', 'exists', '!', 'gt', 'lt'] as const

const constraint = z.object({
  Key: text,
  /** One of {@link OPERATORS} once the job is accepted. */
  Operator: trimmed as unknown as z.ZodType<(typeof OPERATORS)[number]>,
  Values: listOf(z.string()),
})

/** A condition on the labels of a node. */
export type Constraint = Frozen<z.output<typeof constraint>>

/** A job as people write it, for instance in a file. */
export const jobSchema = z.object({
  Name: trimmed,
  Namespace: trimmed,
  /** In lower case; one of the types of a job once it is accepted. */
  Type: text.transform((value) => value.trim().toLowerCase()),
  Priority: whole,
  Count: wholeNumber.nullish(),
  Constraints: listOf(constraint),
  Meta: textMap,
  Labels: textMap,
  /** Exactly one once the job is accepted. */
  Tasks: listOf(task),
})

/** A job with every absent field filled in, and not yet checked for sense. */
export type WrittenJob = Frozen<z.output<typeof jobSchema>>

/** What a store keeps in columns of its own. */
const COLUMNS = ['Name', 'Namespace', 'Type', 'Priority', 'Count', 'Labels'] as const

/** What a job is to do; kept in the stores as the `spec` of a job and of an execution's job. */
export type JobSpec = Omit<WrittenJob, (typeof COLUMNS)[number]>

// The tasks first, as in all that are stored.
const SPEC_NAMES = [
  'Tasks',
  ...Object.keys(jobSchema.shape).filter((name) => name !== 'Tasks' && !isColumn(name)),
] as readonly (keyof JobSpec)[]

function isColumn(name: string): boolean {
  return (COLUMNS as readonly string[]).includes(name)
}

/** Returns what of a job is kept as its specification. */
export function specOf(job: WrittenJob): JobSpec {
  return Object.fromEntries(SPEC_NAMES.map((name) => [name, job[name]])) as unknown as JobSpec
}

/**
 * The key of a job's meta that says `true` where running it twice does no harm, so that a restart may run it again.
 */
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

/**
 * Returns how long a task may run, in milliseconds: its execution timeout, or else its total timeout; 0 for no limit.
 */
export function executionTimeoutMs(task: Task): number {
  const { ExecutionTimeout, TotalTimeout } = task.Timeouts
  return (ExecutionTimeout > 0 ? ExecutionTimeout : TotalTimeout) * 1000
}

/** Tells whether executions of a job of some type are meant to run for ever. */
export function isLongRunning(type: string): type is 'service' | 'daemon' {
  return type === 'service' || type === 'daemon'
}

/** Returns the task of a job. Throws `TypeError` for a specification without one. */
export function onlyTask(spec: JobSpec): Task {
  const [task] = spec.Tasks
  if (task === undefined) throw new TypeError('the job has no task')
  return task
}
