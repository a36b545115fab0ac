import { StoreError } from '../errors.ts'
import type { KvSnapshot } from '../kv/contract.ts'
import type { Json, TextMap } from '../kv/json.ts'
import { idTuple, tuple } from '../kv/tuple.ts'
import type { Job, JobType } from '../model/job.ts'
import { type IndexRow, keyRows } from '../rows/index-row.ts'
import { deadlineKey, type Mutation } from '../rows/mutation.ts'
import { damagedRow, putQuarantine } from '../rows/quarantine.ts'
import { RecordTable } from '../rows/record-table.ts'
import { timesOf } from '../rows/state-row.ts'
import { INDEX } from '../rows/tables.ts'
import type { JobState } from '../states/job-state.ts'
import { JOB_MACHINE } from '../states/job-state.ts'

/** The small part of a job that changes; what is absent is `null`, empty or zero in the model. */
export interface JobRow {
  readonly ns: string
  readonly t: JobType
  /** Priority of the newest version. */
  readonly p: number
  readonly v: number
  readonly r: number
  readonly s: JobState
  readonly m?: string
  readonly ss: number
  readonly c: number
  readonly md: number
  readonly f?: number
  readonly dl?: number
  /** Submit key. */
  readonly k?: string
  readonly h?: string
  /** Bytes of all its specifications. */
  readonly b: number
}

/** One version of a job, which never changes. */
export interface SpecRow {
  readonly n: string
  readonly p: number
  readonly c: number
  readonly l?: TextMap
  readonly spec: Json
  readonly at: number
}

/** The jobs, by id. */
export const jobTable: RecordTable<JobRow> = new RecordTable<JobRow>('jobs', 1)

/** The versions of jobs, by job and version. */
export const specTable: RecordTable<SpecRow> = new RecordTable<SpecRow>('specs', 1)

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
export function loadSpec(snapshot: KvSnapshot, job: LoadedJob, version: number = job.row.v): SpecRow {
  const spec = specTable.get(snapshot, specKey(job.key, version))
  if (spec !== undefined) return spec
  throw new StoreError('JOB_VERSION_NOT_FOUND', `job version ${version} not found for job ${job.id}`, {
    id: job.id,
    actual: version,
    hint: `its newest version is ${job.row.v}`,
  })
}

/** Puts the two parts of a job together; `aheadMs` is by how much steady time is ahead. */
export function toJob<Spec>(
  id: string,
  row: JobRow,
  spec: SpecRow,
  aheadMs: number,
  version: number = row.v,
): Job<Spec> {
  const { stateSinceMs, deadlineAtMs } = timesOf(row, aheadMs)
  return {
    id,
    namespace: row.ns,
    name: spec.n,
    type: row.t,
    priority: spec.p,
    count: spec.c,
    labels: spec.l ?? {},
    version,
    revision: row.r,
    state: row.s,
    stateMessage: row.m ?? '',
    stateSinceMs,
    createdAtMs: row.c,
    modifiedAtMs: row.md,
    finishedAtMs: row.f ?? null,
    deadlineAtMs,
    submitKey: row.k ?? null,
    hold: row.h ?? null,
    spec: spec.spec as Spec,
  }
}

/** Index keys that change with a job's state. */
function stateIndexKeys(key: Uint8Array, row: JobRow): Uint8Array[] {
  const keys = [tuple(INDEX.jobByState, row.s, row.ss, key)]
  if (row.f === undefined) keys.push(tuple(INDEX.jobInProgress, row.t, row.c, key))
  else keys.push(tuple(INDEX.jobFinished, row.ns, row.s, row.f, key))
  return keys
}

/** Index keys that stay as long as the job. */
function creationIndexKeys(key: Uint8Array, row: JobRow): Uint8Array[] {
  const created = tuple(row.c, key)
  return [tuple(INDEX.jobByCreation, created), tuple(INDEX.jobByNamespace, row.ns, created)]
}

/** Index keys of a version's labels. */
export function labelIndexKeys(key: Uint8Array, row: JobRow, labels: TextMap): Uint8Array[] {
  const created = tuple(row.c, key)
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
  newest: Pick<SpecRow, 'n' | 'l'> | undefined,
): IndexRow[] {
  const keys = [
    ...creationIndexKeys(key, row),
    ...stateIndexKeys(key, row),
    ...labelIndexKeys(key, row, newest?.l ?? {}),
  ]
  if (row.dl !== undefined) keys.push(deadlineKey(row.dl, 'job', id))
  const rows = keyRows(keys)
  if (newest !== undefined) rows.push({ key: nameIndexKey(row.ns, newest.n), value: key })
  if (row.k !== undefined) rows.push({ key: submitKeyIndexKey(row.ns, row.k), value: key })
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
  mutation.moveDeadline('job', id, before.row.dl, row.dl)
  mutation.count('job', row.ns, before.row.s, -1, -(before.bytes + before.row.b))
  mutation.count('job', row.ns, row.s, 1, bytes + row.b)
  announceJob(mutation, id, row, before.row.s)
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
    namespace: row.ns,
    operation: 'put',
    previousState,
    state: row.s,
    revision: row.r,
  })
}

/** Tells whether a job has ended. */
export function hasEnded(row: JobRow): boolean {
  return JOB_MACHINE.terminal.has(row.s)
}
