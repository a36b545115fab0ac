import { isDeepStrictEqual } from 'node:util'
import { requireJson } from '../arguments/argument-types.ts'
import {
  checkChoice,
  checkInteger,
  checkLabels,
  checkPriority,
  checkText,
  checkTime,
  invalid,
} from '../arguments/limits.ts'
import type { SubmitJob, Submitted } from '../contract/jobs.ts'
import { StoreError } from '../errors.ts'
import type { KvSnapshot } from '../kv/contract.ts'
import { isPlainJson, type Json, type TextMap } from '../kv/json.ts'
import { jsonText } from '../kv/json-text.ts'
import { decodeIdTuple } from '../kv/tuple.ts'
import type { NewEvaluation } from '../model/evaluation.ts'
import { checkId, newId } from '../model/id.ts'
import { JOB_TYPES } from '../model/job.ts'
import { addHistoryEntry } from '../rows/history.ts'
import type { Mutation } from '../rows/mutation.ts'
import { enqueueEvaluation } from './evaluation-queue.ts'
import {
  announceJob,
  findJobRow,
  type JobRow,
  jobIndexRows,
  jobKey,
  jobTable,
  loadJob,
  loadSpec,
  nameIndexKey,
  type SpecRow,
  specKey,
  specTable,
  submitKeyIndexKey,
  toJob,
} from './job-row.ts'

const MAX_COUNT = 1_000_000

/** The parts of a job version that a caller may set, checked. */
export function checkDefinition(definition: { priority: number; count: number; labels: TextMap }): void {
  checkPriority(definition.priority)
  checkInteger('count', definition.count, 0, MAX_COUNT)
  checkLabels(definition.labels)
}

/**
 * Writes one version of a job and returns it as it will be read. Throws `INVALID_ARGUMENT` where the specification is
 * too large or holds what JSON does not carry.
 */
export function putSpec(
  mutation: Mutation,
  key: Uint8Array,
  version: number,
  spec: SpecRow,
  maxSpecBytes: number,
): { readonly spec: SpecRow; readonly bytes: number } {
  const isPlain = requireJson('spec', spec.spec) && isPlainJson(spec.labels ?? null)
  const versionKey = specKey(key, version)
  const bytes = specTable.put(mutation.rows, versionKey, spec)
  if (bytes > maxSpecBytes) {
    throw invalid(
      `the specification takes ${bytes} bytes, at most ${maxSpecBytes} are allowed`,
      'move large data into an input source',
    )
  }
  return { spec: isPlain ? spec : (specTable.get(mutation.rows, versionKey) ?? spec), bytes }
}

/** Creates a job with its first evaluation, or finds the one that its submit key made before. */
export function submitJob<Spec>(
  mutation: Mutation,
  request: SubmitJob<Spec>,
  maxSpecBytes: number,
): Submitted<Spec> {
  const namespace = request.namespace ?? 'default'
  const id = request.id ?? newId('j')
  const labels = request.labels ?? {}
  const definition: SpecRow = {
    name: request.name ?? id,
    priority: request.priority ?? 0,
    count: request.count ?? 1,
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
    spec: request.spec as Json,
    atMs: mutation.nowMs,
  }
  checkText('namespace', namespace)
  checkText('name', definition.name)
  checkDefinition({ priority: definition.priority, count: definition.count, labels })
  checkChoice('job type', request.type, JOB_TYPES)
  if (request.id !== undefined) checkId('job', id)
  checkTime('deadline', request.deadlineAtMs)

  const earlier = findBySubmitKey<Spec>(mutation, request, namespace, definition)
  if (earlier !== null) return earlier
  // An id that was just made is nobody's, and neither is the name that is taken from it.
  if (request.id !== undefined) refuseTakenId(mutation.rows, id, 'leave the id out and one is made')
  if (request.id !== undefined || request.name !== undefined)
    refuseTakenName(mutation.rows, namespace, definition.name)
  return createJob(mutation, { id, namespace, definition, maxSpecBytes }, request)
}

function createJob<Spec>(
  mutation: Mutation,
  made: { id: string; namespace: string; definition: SpecRow; maxSpecBytes: number },
  request: SubmitJob<Spec>,
): Submitted<Spec> {
  const { id, namespace, definition } = made
  const { rows, nowMs } = mutation
  const key = jobKey(id)
  const { spec, bytes: specBytes } = putSpec(mutation, key, 1, definition, made.maxSpecBytes)
  const { submitKey, deadlineAtMs } = request
  const row: JobRow = {
    namespace,
    type: request.type,
    priority: definition.priority,
    version: 1,
    revision: 1,
    state: 'Pending',
    stateSinceMs: mutation.steadyMs,
    createdAtMs: nowMs,
    modifiedAtMs: nowMs,
    ...(deadlineAtMs == null ? {} : { deadlineSteadyMs: mutation.steady(deadlineAtMs) }),
    ...(submitKey === undefined ? {} : { submitKey }),
    specBytes,
  }
  const bytes = jobTable.put(rows, key, row)
  for (const index of jobIndexRows({ id, key, row }, spec)) mutation.putIndex(index.key, index.value)
  mutation.count('job', namespace, row.state, 1, bytes + specBytes)
  addHistoryEntry(
    mutation,
    { ownerKey: key, jobVersion: 1, previousState: null, newState: row.state, revision: 1 },
    request.event ?? { message: 'Job submitted', topic: 'Submission' },
  )
  announceJob(mutation, id, row, null)
  const first: NewEvaluation | null =
    request.evaluation === undefined ? { trigger: 'job-register' } : request.evaluation
  const evaluationId = first === null ? null : enqueueEvaluation(mutation, { id, row }, first)
  return { job: toJob<Spec>(id, row, spec, mutation.aheadMs), evaluationId, created: true }
}

function findBySubmitKey<Spec>(
  { rows: snapshot, aheadMs }: Mutation,
  request: SubmitJob<Spec>,
  namespace: string,
  definition: SpecRow,
): Submitted<Spec> | null {
  const { submitKey } = request
  if (submitKey === undefined) return null
  checkText('submit key', submitKey)
  const found = snapshot.get('index', submitKeyIndexKey(namespace, submitKey))
  if (found === undefined) return null
  requireJson('spec', request.spec)
  const job = loadJob(snapshot, decodeIdTuple('j', found))
  const first = loadSpec(snapshot, job, 1)
  const nameGiven = request.name === undefined ? first.name : definition.name
  const asked = { ...definition, name: nameGiven, atMs: first.atMs, type: request.type }
  if (!isSameJson(jsonText('specification', asked), JSON.stringify({ ...first, type: job.row.type }))) {
    throw new StoreError(
      'SUBMIT_KEY_CONFLICT',
      `submit key ${submitKey} was used in namespace ${namespace} for job ${job.id} with another specification`,
      { id: job.id, hint: 'use a fresh key for a different job' },
    )
  }
  return {
    job: toJob<Spec>(job.id, job.row, loadSpec(snapshot, job), aheadMs),
    evaluationId: null,
    created: false,
  }
}

/**
 * Tells whether two JSON texts say the same, in whatever order. What is nested too deep to be compared so must be
 * alike to the letter.
 */
function isSameJson(left: string, right: string): boolean {
  if (left === right) return true
  try {
    return isDeepStrictEqual(JSON.parse(left), JSON.parse(right))
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/** Refuses an id that is taken, with what can be done. Throws `JOB_ALREADY_EXISTS`. */
export function refuseTakenId(snapshot: KvSnapshot, id: string, hint: string): void {
  const key = jobKey(id)
  if (findJobRow(snapshot, id) !== undefined || snapshot.get('reclaim', key) !== undefined) {
    throw new StoreError('JOB_ALREADY_EXISTS', `job ${id} exists already`, { id, hint })
  }
}

/** Refuses a name that is taken. Throws `JOB_NAME_TAKEN`. */
export function refuseTakenName(snapshot: KvSnapshot, namespace: string, name: string): void {
  const owner = snapshot.get('index', nameIndexKey(namespace, name))
  if (owner === undefined) return
  const ownerId = decodeIdTuple('j', owner)
  throw new StoreError('JOB_NAME_TAKEN', `job name ${name} already exists in namespace ${namespace}`, {
    id: ownerId,
    actual: name,
    hint: `revise job ${ownerId} instead, or choose another name`,
  })
}
