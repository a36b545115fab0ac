import {
  type ClientVersion,
  isLongRunning,
  isReservedMeta,
  type JobSpec,
  looseField,
  specOf,
} from '@saltcod/bacalhau-records'
import type { JobDefinition, JobType, Json } from '@saltcod/store-core'
import { parseBytes } from '@saltcod/units'
import { engineKind, taskWarnings } from '../engines/kinds.ts'
import { spellKeys, type UnknownKey } from '../spec/loose-keys.ts'
import { otherFormat } from '../spec/other-format.ts'
import { ApiError, shortText } from './api-error.ts'
import { illFormedText } from './ill-formed-text.ts'
import { isNestedTooDeep, MAX_NESTING } from './nesting.ts'
import { readWholeSubmit } from './submit-problems.ts'
import { type JobInput, SUBMIT_KEYS, type SubmitInput } from './submit-schema.ts'
import { unreadParameters } from './task-parameters.ts'

const JOB_PATH = 'Job.'
const MOST_NAMED_KEYS = 20
/** Who asks for less has forgotten the unit. */
const LEAST_BYTES = 65_536

/** What a task gets that asks for nothing. */
export interface JobDefaults {
  readonly cpu: string
  readonly memory: string
  /** Largest specification, in bytes of JSON. */
  readonly maxSpecBytes: number
}

/** The defaults of Bacalhau v1.9, and a specification of 1 MB. */
export const JOB_DEFAULTS: JobDefaults = { cpu: '500m', memory: '512mb', maxSpecBytes: 1024 * 1024 }

/** A submit, checked and complete. */
export interface SubmittedJob {
  /** Chosen by the client; `null` where the store makes one. */
  readonly id: string | null
  readonly namespace: string
  /** `null` where the id is the name. */
  readonly name: string | null
  readonly definition: Omit<JobDefinition<JobSpec>, 'name'>
  /** How long the whole job may take, in milliseconds; 0 for no limit. */
  readonly totalTimeoutMs: number
  /** `null` where none was given. */
  readonly submitKey: string | null
  /** A new version is wanted even where nothing differs. */
  readonly force: boolean
  /** What was left out or changed, for people. */
  readonly warnings: readonly string[]
}

/**
 * Reads the body of a submit: any case of its keys, null for empty, defaults filled in. Throws an `ApiError`:
 * `ValidationError` with all that is wrong, one line each, or `PayloadTooLarge`.
 */
export function readSubmit(
  body: unknown,
  defaults: JobDefaults = JOB_DEFAULTS,
  client: Pick<ClientVersion, 'newNetworkTypes'> = { newNetworkTypes: true },
): SubmittedJob {
  if (isNestedTooDeep(body)) {
    throw invalid(`the job is nested more than ${MAX_NESTING} deep`, 'make it flatter, or give it as a text')
  }
  const illFormed = illFormedText(body)
  if (illFormed !== null) {
    const place = shortText(JSON.stringify(illFormed), 200)
    throw invalid(
      `the text at ${place} has half of a surrogate pair, which is no character`,
      'write all of it',
    )
  }
  const { value: spelled, unknownKeys, clashes } = spellKeys(body, SUBMIT_KEYS)
  const isObject = typeof spelled === 'object' && spelled !== null
  const given = isObject && 'Job' in spelled ? spelled.Job : null
  if (!isObject || typeof given !== 'object' || given === null) {
    throw invalid('empty/nil job', 'send an object with the key Job')
  }
  refuseOtherFormat(looseField(body as Json, 'Job'))
  const { input, lines } = readWholeSubmit(spelled, clashes)
  const unread = aboutUnknownKeys(unknownKeys, input?.Job.Tasks ?? [])
  // A key that is missing is often there, misspelt.
  if (input === null || lines.length > 0) throw invalid([...lines, ...unread].join('\n'))
  return complete(input, [...unread, ...input.Job.Tasks.flatMap(taskWarnings)], defaults, client)
}

function refuseOtherFormat(job: unknown): void {
  const other = typeof job === 'object' && job !== null ? otherFormat(job) : undefined
  if (other !== undefined) throw invalid(`this is ${other.what}`, other.hint)
}

/** What is around the job is the client's own business: some send keys there that only Bacalhau reads. */
function aboutUnknownKeys(unknownKeys: readonly UnknownKey[], tasks: JobInput['Tasks']): string[] {
  const inJob = unknownKeys.flatMap((key) =>
    key.path.startsWith(JOB_PATH) ? [{ ...key, path: key.path.slice(JOB_PATH.length) }] : [],
  )
  const keys = [...inJob, ...tasks.slice(0, 1).flatMap((task) => unreadParameters(task, ['Tasks', 0]))]
  const named = keys.slice(0, MOST_NAMED_KEYS).map(({ path, near }) => {
    const hint = near === undefined ? '' : `; did you mean ${near}?`
    return `unknown key ${shortText(path, 200)} is ignored${hint}`
  })
  const more = keys.length - named.length
  return more === 0 ? named : [...named, `${more} more unknown keys are ignored`]
}

function complete(
  input: SubmitInput,
  warnings: string[],
  defaults: JobDefaults,
  client: Pick<ClientVersion, 'newNetworkTypes'>,
): SubmittedJob {
  const { Job: job } = input
  const type = job.Type as JobType
  const id = acceptedId(job, warnings)
  const [task] = job.Tasks
  if (task === undefined) throw invalid('missing job tasks')
  const Meta = acceptedMeta(job, warnings)
  if (isLongRunning(type) && task.Timeouts.ExecutionTimeout > 0)
    warnings.push(`Timeouts.ExecutionTimeout is no limit of a ${type} job, which is to run on`)
  const count = countFor(type, job.Count)
  warnings.push(...aboutAmounts(type, count, task))
  const Resources = {
    ...task.Resources,
    CPU: task.Resources.CPU === '' ? defaults.cpu : task.Resources.CPU,
    Memory: task.Resources.Memory === '' ? defaults.memory : task.Resources.Memory,
  }
  const spec: JobSpec = {
    ...specOf(job),
    Tasks: [{ ...task, Resources, Network: chosenNetwork(task, client, warnings) }],
    Meta,
  }
  const bytes = Buffer.byteLength(JSON.stringify(spec))
  if (bytes > defaults.maxSpecBytes) {
    throw new ApiError(
      'PayloadTooLarge',
      `the job is ${bytes} bytes, at most ${defaults.maxSpecBytes} are taken`,
      {
        hint: 'bring large data in by an input source, not in the job itself',
      },
    )
  }
  return {
    id,
    namespace: job.Namespace === '' ? 'default' : job.Namespace,
    name: job.Name === '' ? id : job.Name,
    definition: { type, priority: job.Priority, count: countFor(type, job.Count), labels: job.Labels, spec },
    totalTimeoutMs: task.Timeouts.TotalTimeout * 1000,
    submitKey: input.IdempotencyToken === '' ? null : input.IdempotencyToken,
    force: input.Force,
    warnings,
  }
}

/** Amounts that make sense, and are hardly what was meant. */
function aboutAmounts(type: JobType, count: number, { Resources }: JobInput['Tasks'][number]): string[] {
  const runsNowhere = count === 0 && (type === 'batch' || type === 'service')
  return [
    ...(runsNowhere
      ? [`Count is 0, so nothing of the job runs; without a Count a ${type} job runs once`]
      : []),
    ...(['Memory', 'Disk'] as const).flatMap((name) => {
      const amount = Resources[name]
      const bytes = /^[\d.]+$/.test(amount) ? (parseBytes(amount) ?? 0) : 0
      if (bytes === 0 || bytes >= LEAST_BYTES) return []
      return [`Resources.${name} ${amount} is ${bytes} bytes; write ${amount}mb where megabytes are meant`]
    }),
  ]
}

/** Clients before 1.7 have no word for the network of the engine: they send `None` always. */
function chosenNetwork(
  { Network, Engine }: JobInput['Tasks'][number],
  { newNetworkTypes }: Pick<ClientVersion, 'newNetworkTypes'>,
  warnings: string[],
): JobInput['Tasks'][number]['Network'] {
  if (newNetworkTypes || Network.Type !== 'None' || engineKind(Engine.Type)?.isOnHost !== true) return Network
  warnings.push(
    `Network.Type None, which clients before 1.7 always send, is the network of the engine ${Engine.Type}: the host's`,
  )
  return { ...Network, Type: 'Default' }
}

/** All matching nodes are wanted by ops and daemon jobs, so their count is 0. */
function countFor(type: JobType, count: number | null | undefined): number {
  return type === 'ops' || type === 'daemon' ? 0 : (count ?? 1)
}

function acceptedId(job: JobInput, warnings: string[]): string | null {
  if (job.State !== '') warnings.push('job state is ignored when submitting a job')
  if (job.Revision !== 0) warnings.push('job revision is ignored when submitting a job')
  if (job.Version !== 0) warnings.push('job version is ignored when submitting a job')
  if ((job.CreateTime ?? 0) !== 0) warnings.push('job create time is ignored when submitting a job')
  if ((job.ModifyTime ?? 0) !== 0) warnings.push('job modify time is ignored when submitting a job')
  if (job.ID === '') return null
  if (job.Type === 'batch' || job.Type === 'ops') {
    warnings.push(`job ID is ignored when submitting a ${job.Type} job`)
    return null
  }
  return job.ID
}

function acceptedMeta(job: JobInput, warnings: string[]): Record<string, string> {
  const given = Object.entries(job.Meta)
  for (const [key] of given) {
    if (isReservedMeta(key)) warnings.push(`job meta key "${key}" is reserved and will be ignored`)
  }
  return Object.fromEntries(given.filter(([key]) => !isReservedMeta(key)))
}

function invalid(message: string, hint?: string): ApiError {
  return new ApiError('ValidationError', message, {
    component: 'JobValidator',
    ...(hint === undefined ? {} : { hint }),
  })
}
