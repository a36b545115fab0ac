import { requireOptionalNumber, requireText } from '../arguments/argument-types.ts'
import { invalid } from '../arguments/limits.ts'
import type { JobQuery } from '../contract/jobs.ts'
import { type KvSnapshot, MAX_KEY_BYTES } from '../kv/contract.ts'
import { decodeId, decodeIdTuple, decodeTuple, tuple } from '../kv/tuple.ts'
import { JOB_TYPES, type Job } from '../model/job.ts'
import type { Listing } from '../rows/pager.ts'
import { ambiguous, matchShortId } from '../rows/short-id.ts'
import { INDEX } from '../rows/tables.ts'
import type { JobState } from '../states/job-state.ts'
import {
  findJobRow,
  hasEnded,
  jobKey,
  jobTable,
  loadJob,
  loadSpec,
  nameIndexKey,
  specKey,
  specTable,
  toJob,
} from './job-row.ts'
import { meetAll } from './label-match.ts'

/** Returns a job, or one version of it; `null` where there is none. Throws `TypeError` or `INVALID_ARGUMENT`. */
export function getJob<Spec>(
  snapshot: KvSnapshot,
  id: string,
  aheadMs: number,
  version?: number,
): Job<Spec> | null {
  requireOptionalNumber('job version', version)
  if (version !== undefined && !Number.isFinite(version)) throw invalid(`there is no job version ${version}`)
  const job = findJobRow(snapshot, id)
  if (job === undefined) return null
  const wanted = version ?? job.row.version
  const spec = specTable.get(snapshot, specKey(job.key, wanted))
  if (spec === undefined && version !== undefined) return null
  return toJob<Spec>(id, job.row, spec ?? loadSpec(snapshot, job), aheadMs, wanted)
}

/** Returns the job with a name; `null` where there is none. Throws `TypeError`. */
export function getJobByName<Spec>(
  snapshot: KvSnapshot,
  namespace: string,
  name: string,
  aheadMs: number,
): Job<Spec> | null {
  requireText('namespace', namespace)
  requireText('name', name)
  const key = nameIndexKey(namespace, name)
  const id = key.length > MAX_KEY_BYTES ? undefined : snapshot.get('index', key)
  return id === undefined ? null : getJob<Spec>(snapshot, decodeIdTuple('j', id), aheadMs)
}

/**
 * Finds a job by id, name or short id. A whole id always means its job, whatever others are called; a name that is
 * also the short id of another job is ambiguous. Throws `JOB_NOT_FOUND`, `AMBIGUOUS_ID`.
 */
export function findJob<Spec>(
  snapshot: KvSnapshot,
  text: string,
  namespace: string,
  aheadMs: number,
): Job<Spec> {
  const whole = getJob<Spec>(snapshot, text, aheadMs)
  if (whole !== null) return whole
  const named = getJobByName<Spec>(snapshot, namespace, text, aheadMs)
  const [match] = matchShortId(snapshot, 'jobs', 'j', text)
  if (named !== null && match !== undefined && match !== named.id)
    throw ambiguous('jobs', text, [named.id, match])
  if (named !== null) return named
  const job = loadJob(snapshot, match ?? text)
  return toJob<Spec>(job.id, job.row, loadSpec(snapshot, job), aheadMs)
}

/** Returns all versions of a job, oldest first. */
export function listVersions<Spec>(snapshot: KvSnapshot, jobId: string, aheadMs: number): Job<Spec>[] {
  const job = loadJob(snapshot, jobId)
  const versions: Job<Spec>[] = []
  for (let version = 1; version <= job.row.version; version++) {
    versions.push(toJob<Spec>(job.id, job.row, loadSpec(snapshot, job, version), aheadMs, version))
  }
  return versions
}

interface Stretches {
  readonly prefixes: readonly Uint8Array[]
  /** Whether the part behind the prefix is the creation time. */
  readonly byCreation: boolean
}

/** The listing that a query asks for, on the index that leaves the fewest rows to look at. */
export function jobListing<Spec>(snapshot: KvSnapshot, query: JobQuery, aheadMs: number): Listing<Job<Spec>> {
  const { prefixes, byCreation } = chooseIndex(query)
  const { limit: _limit, cursor: _cursor, reverse: _reverse, ...conditions } = query
  const { sinceMs, untilMs } = query
  return {
    table: 'index',
    prefixes,
    ...(byCreation && sinceMs !== undefined ? { gte: tuple(sinceMs) } : {}),
    ...(byCreation && untilMs !== undefined ? { lt: tuple(untilMs) } : {}),
    query: ['jobs', conditions],
    idOf: (key) => decodeId('j', decodeTuple(key).at(-1)),
    load: (key) => {
      const id = decodeId('j', decodeTuple(key).at(-1))
      const jobRowKey = jobKey(id)
      const row = jobTable.get(snapshot, jobRowKey)
      if (row === undefined) return undefined
      const fits =
        (query.namespace === undefined || row.namespace === query.namespace) &&
        (query.states === undefined || query.states.includes(row.state)) &&
        (query.type === undefined || row.type === query.type) &&
        (query.inProgress !== true || !hasEnded(row)) &&
        (sinceMs === undefined || row.createdAtMs >= sinceMs) &&
        (untilMs === undefined || row.createdAtMs < untilMs)
      if (!fits) return undefined
      const spec = specTable.get(snapshot, specKey(jobRowKey, row.version))
      if (spec === undefined || !meetAll(spec.labels ?? {}, query.labels ?? [])) return undefined
      return toJob<Spec>(id, row, spec, aheadMs)
    },
  }
}

function chooseIndex(query: JobQuery): Stretches {
  const label = query.labels?.find(({ operator, values }) => operator === '=' && values.length === 1)
  if (label !== undefined) {
    return { prefixes: [tuple(INDEX.jobByLabel, label.key, label.values[0] ?? '')], byCreation: true }
  }
  const [state, ...otherStates] = query.states ?? []
  if (state !== undefined && otherStates.length === 0)
    return { prefixes: [stateStretch(query, state)], byCreation: false }
  if (query.inProgress === true) {
    const types = query.type === undefined ? JOB_TYPES : [query.type]
    return { prefixes: types.map((type) => tuple(INDEX.jobInProgress, type)), byCreation: true }
  }
  if (query.namespace !== undefined) {
    return { prefixes: [tuple(INDEX.jobByNamespace, query.namespace)], byCreation: true }
  }
  return { prefixes: [tuple(INDEX.jobByCreation)], byCreation: true }
}

function stateStretch(query: JobQuery, state: JobState): Uint8Array {
  const ended = state === 'Completed' || state === 'Failed' || state === 'Stopped'
  if (query.namespace === undefined || !ended) return tuple(INDEX.jobByState, state)
  return tuple(INDEX.jobFinished, query.namespace, state)
}
