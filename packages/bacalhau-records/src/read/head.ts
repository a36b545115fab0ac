import {
  type ComputeState,
  type EvaluationStatus,
  type ExecutionState,
  JOB_STATES,
  JOB_TYPES,
  type JobState,
  type JobType,
  type TextMap,
} from '@saltcod/store-core'
import { fitText } from './fit-definition.ts'
import type { ComputeGeneration } from './layout.ts'
import { orLeftOut, UnreadableRecord } from './note.ts'
import type { NumberingFacts } from './numbering.ts'
import { computeStateOf } from './read-compute.ts'
import { executionStateOf } from './read-execution.ts'
import { evaluationStatusOf } from './read-job.ts'
import { isObject, parseObject, RecordFields } from './record-fields.ts'
import { requireOwnPlace, type StoredValue } from './stored-job.ts'

// What a listing needs to choose records and to put them in order, and a summary to count them. To read one whole
// takes fifty times as long as to parse it.

/** What every head has. */
interface Head {
  readonly id: string
  readonly namespace: string
  readonly createdAtMs: number
  readonly modifiedAtMs: number
  /** Bytes of its value. */
  readonly bytes: number
}

/** A job, as far as a listing chooses by it. */
export interface JobHead extends Head {
  readonly name: string
  readonly type: JobType
  readonly state: JobState
  readonly stateMessage: string
  readonly labels: TextMap
}

/** An execution of a requester likewise. */
export interface ExecutionHead extends Head {
  readonly jobId: string
  readonly nodeId: string
  readonly state: ExecutionState
}

/** An execution of a compute node likewise. */
export interface ComputeHead extends Head {
  readonly jobId: string
  readonly jobName: string
  readonly state: ComputeState
  readonly stateMessage: string
}

/** An evaluation likewise. */
export interface EvaluationHead extends Head {
  readonly jobId: string
  readonly status: EvaluationStatus
}

const SILENT = (): void => {}

/** Reads the head of a job; `null` where the job cannot be read. */
export function readJobHead(id: string, json: string): JobHead | null {
  return orNull(() => {
    const fields = new RecordFields(parseObject(json), '', SILENT)
    requireOwnPlace('ID', fields.requiredText('ID'), id)
    const type = wordOf(fields.raw('Type'), JOB_TYPES)
    const stored = fields.inner('State')
    const state = wordOf(stored.raw('StateType'), JOB_STATES)
    const tasks = fields.raw('Tasks')
    if (!Array.isArray(tasks) || tasks.length === 0)
      throw new UnreadableRecord('wrong-type', 'it has no task')
    return {
      ...timesOf(fields),
      id,
      namespace: fitText(fields.text('Namespace')) || 'default',
      bytes: json.length,
      name: fitText(fields.text('Name')) || id,
      type,
      state,
      stateMessage: stored.text('Message'),
      labels: fields.texts('Labels'),
    }
  })
}

/** Reads the head of an execution of a job; `null` where the execution cannot be read. */
export function readExecutionHead(
  { key, json }: StoredValue,
  jobId: string,
  facts: Omit<NumberingFacts, 'record'>,
): ExecutionHead | null {
  return orNull(() => {
    const record = parseObject(json)
    const fields = new RecordFields(record, '', SILENT)
    requireOwnPlace('ID', fields.requiredText('ID'), key)
    requireOwnPlace('JobID', fields.requiredText('JobID'), jobId)
    return {
      ...timesOf(fields),
      id: key,
      namespace: fields.text('Namespace') || 'default',
      bytes: json.length,
      jobId,
      nodeId: fields.requiredText('NodeID'),
      state: executionStateOf(fields.inner('ComputeState').raw('StateType'), { ...facts, record }, SILENT),
    }
  })
}

/** Reads the head of an execution of a compute node; `null` where the execution cannot be read. */
export function readComputeHead(
  { key, json }: StoredValue,
  { states }: Pick<ComputeGeneration, 'states'>,
): ComputeHead | null {
  return orNull(() => {
    const outer = new RecordFields(parseObject(json), '', SILENT)
    const isLocal = states === 'local'
    const fields = isLocal ? outer.inner('Execution') : outer
    requireOwnPlace('ID', fields.requiredText('ID'), key)
    const job = fields.raw('Job')
    if (!isObject(job)) throw new UnreadableRecord('wrong-type', 'it holds no job')
    const jobFields = new RecordFields(job, 'Job', SILENT)
    const jobId = jobFields.requiredText('ID')
    const [state] = computeStateOf(outer, states)
    const createdAtMs = isLocal ? (outer.time('CreateTime') ?? 0) : timesOf(fields).createdAtMs
    return {
      id: key,
      namespace: jobFields.text('Namespace') || 'default',
      createdAtMs,
      modifiedAtMs: isLocal ? (outer.time('UpdateTime') ?? createdAtMs) : timesOf(fields).modifiedAtMs,
      bytes: json.length,
      jobId,
      jobName: jobFields.text('Name') || jobId,
      state,
      stateMessage: isLocal ? outer.text('LatestComment') : fields.inner('ComputeState').text('Message'),
    }
  })
}

/** Reads the head of an evaluation of a job; `null` where the evaluation cannot be read. */
export function readEvaluationHead({ key, json }: StoredValue, jobId: string): EvaluationHead | null {
  return orNull(() => {
    const fields = new RecordFields(parseObject(json), '', SILENT)
    requireOwnPlace('ID', fields.requiredText('ID'), key)
    return {
      ...timesOf(fields),
      id: key,
      namespace: fields.text('Namespace') || 'default',
      bytes: json.length,
      jobId,
      status: evaluationStatusOf(fields),
    }
  })
}

function timesOf(fields: RecordFields): { readonly createdAtMs: number; readonly modifiedAtMs: number } {
  const createdAtMs = fields.nanoseconds('CreateTime') ?? 0
  return { createdAtMs, modifiedAtMs: fields.nanoseconds('ModifyTime') ?? createdAtMs }
}

function wordOf<T extends string>(value: unknown, words: readonly T[]): T {
  const word = words.find((known) => known === value)
  if (word === undefined) throw new UnreadableRecord('unknown-word', `${JSON.stringify(value)} is not known`)
  return word
}

function orNull<T>(read: () => T): T | null {
  return orLeftOut(read, SILENT) ?? null
}
