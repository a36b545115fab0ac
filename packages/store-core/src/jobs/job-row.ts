import { StoreError } from '../errors.ts'
import type { KvSnapshot } from '../kv/contract.ts'
import type { Json, TextMap } from '../kv/json.ts'
import { idTuple, tuple } from '../kv/tuple.ts'
import type { Job, JobType } from '../model/job.ts'
import type { DiskNames } from '../rows/field-names.ts'
import { type IndexRow, keyRows } from '../rows/index-row.ts'
import { deadlineKey, type Mutation } from '../rows/mutation.ts'
import { damagedRow, putQuarantine } from '../rows/quarantine.ts'
import { RecordTable } from '../rows/record-table.ts'
import {
  isJson,
  isKeyText,
  isKeyTextMap,
  isNumber,
  isOrdinal,
  isText,
  optional,
  type RowShape,
} from '../rows/row-shape.ts'
import { STATE_SHAPE, timesOf } from '../rows/state-row.ts'
import { INDEX } from '../rows/tables.ts'
import type { JobState } from '../states/job-state.ts'
import { JOB_MACHINE } from '../states/job-state.ts'

/** The small part of a job that changes; what is absent is `null`, empty or zero in the model. */
export interface JobRow {
  readonly namespace: string
  readonly type: JobType
  /** Priority of the newest version. */
  readonly priority: number
  readonly version: number
  readonly revision: number
  readonly state: JobState
  readonly stateMessage?: string
  readonly stateSinceMs: number
  readonly createdAtMs: number
  readonly modifiedAtMs: number
  readonly finishedAtMs?: number
  readonly deadlineSteadyMs?: number
  /** Submit key. */
  readonly submitKey?: string
  readonly hold?: string
  /** Bytes of all its specifications. */
  readonly specBytes: number
}

/** One version of a job, which never changes. */
export interface SpecRow {
  readonly name: string
  readonly priority: number
  readonly count: number
  readonly labels?: TextMap
  readonly spec: Json
  readonly atMs: number
}

/** The names of {@link JobRow} on disk. */
export const JOB_NAMES: DiskNames<JobRow> = {
  namespace: 'ns',
  type: 't',
  priority: 'p',
  version: 'v',
  revision: 'r',
  state: 's',
  stateMessage: 'm',
  stateSinceMs: 'ss',
  createdAtMs: 'c',
  modifiedAtMs: 'md',
  finishedAtMs: 'f',
  deadlineSteadyMs: 'dl',
  submitKey: 'k',
  hold: 'h',
  specBytes: 'b',
}

/** The names of {@link SpecRow} on disk. */
export const SPEC_NAMES: DiskNames<SpecRow> = {
  name: 'n',
  priority: 'p',
  count: 'c',
  labels: 'l',
  spec: 'spec',
  atMs: 'at',
}

const JOB_SHAPE: RowShape<JobRow> = {
  ...STATE_SHAPE,
  namespace: isKeyText,
  type: isKeyText,
  priority: isNumber,
  version: isOrdinal,
  revision: isNumber,
  createdAtMs: isNumber,
  modifiedAtMs: isNumber,
  submitKey: optional(isKeyText),
  hold: optional(isText),
  specBytes: isNumber,
}

const SPEC_SHAPE: RowShape<SpecRow> = {
  name: isKeyText,
  priority: isNumber,
  count: isNumber,
  labels: optional(isKeyTextMap),
  spec: isJson,
  atMs: isNumber,
}

/** The jobs, by id. */
export const jobTable: RecordTable<JobRow> = new RecordTable<JobRow>('jobs', 1, JOB_NAMES, JOB_SHAPE)

/** The versions of jobs, by job and version. */
export const specTable: RecordTable<SpecRow> = new RecordTable<SpecRow>('specs', 1, SPEC_NAMES, SPEC_SHAPE)

/** A job as it was read, with what is needed to write it again. */
export interface LoadedJob {
  readonly id: string
  readonly key: Uint8Array
  readonly row: JobRow
  /** Length of the stored row. */
  readonly bytes: number
}

/** The key of a job. */
export function jobKey(id: string): Uint8Array {
  return idTuple('j', id)
}

/** The key of one version of a job. */
export function specKey(key: Uint8Array, version: number): Uint8Array {
  return tuple(key, version)
}

/** Loads a job. Throws `JOB_NOT_FOUND`. */
export function loadJob(snapshot: KvSnapshot, id: string): LoadedJob {
  const job = findJobRow(snapshot, id)
  if (job !== undefined) return job
  throw new StoreError('JOB_NOT_FOUND', `job not found: ${id}`, {
    id,
    hint: 'list the jobs to see what is there',
  })
}

/** Loads a job; `undefined` where there is none. */
export function findJobRow(snapshot: KvSnapshot, id: string): LoadedJob | undefined {
  const key = jobKey(id)
  const found = jobTable.load(snapshot, key)
  return found && { id, key, row: found.record, bytes: found.bytes }
}

/** Loads a job; `undefined` where there is none, or a damaged one, which must keep nobody from the work on others. */
export function findUndamagedJob(mutation: Mutation, id: string): LoadedJob | undefined {
  try {
    return findJobRow(mutation.rows, id)
  } catch (error) {
    const damaged = damagedRow(error)
    if (damaged === null) throw error
    putQuarantine(mutation.rows, damaged, mutation.nowMs)
    return undefined
  }
}

/** Loads one version of a job. Throws `JOB_VERSION_NOT_FOUND`. */
export function loadSpec(snapshot: KvSnapshot, job: LoadedJob, version: number = job.row.version): SpecRow {
  const spec = specTable.get(snapshot, specKey(job.key, version))
  if (spec !== undefined) return spec
  throw new StoreError('JOB_VERSION_NOT_FOUND', `job version ${version} not found for job ${job.id}`, {
    id: job.id,
    actual: version,
    hint: `its newest version is ${job.row.version}`,
  })
}

/** Puts the two parts of a job together; `aheadMs` is by how much steady time is ahead. */
export function toJob<Spec>(
  id: string,
  row: JobRow,
  spec: SpecRow,
  aheadMs: number,
  version: number = row.version,
): Job<Spec> {
  const { stateSinceMs, deadlineAtMs } = timesOf(row, aheadMs)
  return {
    id,
    namespace: row.namespace,
    name: spec.name,
    type: row.type,
    priority: spec.priority,
    count: spec.count,
    labels: spec.labels ?? {},
    version,
    revision: row.revision,
    state: row.state,
    stateMessage: row.stateMessage ?? '',
    stateSinceMs,
    createdAtMs: row.createdAtMs,
    // All else that changes is of the job, whichever version is asked for.
    modifiedAtMs: version === row.version ? row.modifiedAtMs : spec.atMs,
    finishedAtMs: row.finishedAtMs ?? null,
    deadlineAtMs,
    submitKey: row.submitKey ?? null,
    hold: row.hold ?? null,
    spec: spec.spec as Spec,
  }
}

/** Index keys that change with a job's state. */
function stateIndexKeys(key: Uint8Array, row: JobRow): Uint8Array[] {
  const keys = [tuple(INDEX.jobByState, row.state, row.stateSinceMs, key)]
  if (row.finishedAtMs === undefined) keys.push(tuple(INDEX.jobInProgress, row.type, row.createdAtMs, key))
  else keys.push(tuple(INDEX.jobFinished, row.namespace, row.state, row.finishedAtMs, key))
  return keys
}

/** Index keys that stay as long as the job. */
function creationIndexKeys(key: Uint8Array, row: JobRow): Uint8Array[] {
  const created = tuple(row.createdAtMs, key)
  return [tuple(INDEX.jobByCreation, created), tuple(INDEX.jobByNamespace, row.namespace, created)]
}

/** Index keys of a version's labels. */
export function labelIndexKeys(key: Uint8Array, row: JobRow, labels: TextMap): Uint8Array[] {
  const created = tuple(row.createdAtMs, key)
  return Object.entries(labels).map(([label, value]) => tuple(INDEX.jobByLabel, label, value, created))
}

/** The unique index key of a name. */
export function nameIndexKey(namespace: string, name: string): Uint8Array {
  return tuple(INDEX.jobByName, namespace, name)
}

/** The unique index key of a submit key. */
export function submitKeyIndexKey(namespace: string, submitKey: string): Uint8Array {
  return tuple(INDEX.jobBySubmitKey, namespace, submitKey)
}

/** All index rows of a job, as far as its newest version is known. */
export function jobIndexRows(
  { id, key, row }: Pick<LoadedJob, 'id' | 'key' | 'row'>,
  newest: Pick<SpecRow, 'name' | 'labels'> | undefined,
): IndexRow[] {
  const keys = [
    ...creationIndexKeys(key, row),
    ...stateIndexKeys(key, row),
    ...labelIndexKeys(key, row, newest?.labels ?? {}),
  ]
  if (row.deadlineSteadyMs !== undefined) keys.push(deadlineKey(row.deadlineSteadyMs, 'job', id))
  const rows = keyRows(keys)
  if (newest !== undefined) rows.push({ key: nameIndexKey(row.namespace, newest.name), value: key })
  if (row.submitKey !== undefined)
    rows.push({ key: submitKeyIndexKey(row.namespace, row.submitKey), value: key })
  return rows
}

/** Replaces a job's row, and moves indexes, counters, deadline and feed with it. Returns the job as it is now. */
export function replaceJobRow(mutation: Mutation, before: LoadedJob, row: JobRow): LoadedJob {
  const { id, key } = before
  const bytes = jobTable.put(mutation.rows, key, row)
  const oldKeys = stateIndexKeys(key, before.row)
  const newKeys = stateIndexKeys(key, row)
  for (const [i, oldKey] of oldKeys.entries()) {
    const newKey = newKeys[i]
    if (newKey !== undefined && Buffer.compare(oldKey, newKey) === 0) continue
    mutation.removeIndex(oldKey)
    if (newKey !== undefined) mutation.putIndex(newKey)
  }
  mutation.moveDeadline('job', id, before.row.deadlineSteadyMs, row.deadlineSteadyMs)
  mutation.count('job', row.namespace, before.row.state, -1, -(before.bytes + before.row.specBytes))
  mutation.count('job', row.namespace, row.state, 1, bytes + row.specBytes)
  announceJob(mutation, id, row, before.row.state)
  return { id, key, row, bytes }
}

/** Notes a job's change for the feed. */
export function announceJob(
  mutation: Mutation,
  id: string,
  row: JobRow,
  previousState: JobState | null,
): void {
  mutation.announce({
    kind: 'job',
    id,
    jobId: id,
    namespace: row.namespace,
    operation: 'put',
    previousState,
    state: row.state,
    revision: row.revision,
  })
}

/** Tells whether a job has ended. */
export function hasEnded(row: JobRow): boolean {
  return JOB_MACHINE.terminal.has(row.state)
}
