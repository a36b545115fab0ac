import {
  EVALUATION_STATUSES,
  type Evaluation,
  type EvaluationStatus,
  type EvaluationTrigger,
  JOB_MACHINE,
  JOB_STATES,
  type Job,
  type JobState,
  type WholeJob,
} from '@saltcod/store-core'
import type { JobSpec } from '../spec/job-spec.ts'
import { type Note, orLeftOut, type Tell, type TellHere, UnreadableRecord } from './note.ts'
import type { Numbering } from './numbering.ts'
import { readDefinition } from './read-definition.ts'
import { type ExecutionJob, readExecution } from './read-execution.ts'
import { readHistory } from './read-history.ts'
import { parseObject, RecordFields } from './record-fields.ts'
import { requireOwnPlace, type StoredJob, type StoredValue } from './stored-job.ts'

const JOB_FIELDS = new Set([
  ...[
    'ID',
    'Name',
    'Namespace',
    'Type',
    'Priority',
    'Count',
    'Constraints',
    'Meta',
    'Labels',
    'Tasks',
    'State',
  ],
  ...['Version', 'Revision', 'CreateTime', 'ModifyTime'],
])

const TRIGGERS: ReadonlySet<string> = new Set([
  ...['job-register', 'job-cancel', 'job-queue', 'job-timeout', 'job-rerun', 'job-update', 'exec-failure'],
  ...['exec-update', 'exec-timeout', 'exec-limit', 'node-join', 'node-leave'],
])

/**
 * Reads a job of a requester with all that belongs to it, as it stands: it may be in progress. `numbering` is what the
 * numbers of execution states mean in this file where nothing else tells. What cannot be read, and what has no place
 * in our model, is told of; `null` where nothing is left of the job.
 */
export function readJob(stored: StoredJob, numbering: Numbering, tell: Tell): WholeJob<JobSpec> | null {
  const place = `jobs/${stored.id}`
  const tellJob = tellerOf(tell, 'job', stored.id, `${place}/spec`)
  const versions = orLeftOut(
    () => readVersions(stored, tellJob),
    (kind, code, message) =>
      tellJob(kind, code, kind === 'left-out' ? `${message}${restOf(stored)}` : message),
  )
  const newest = versions?.at(-1)
  if (versions === undefined || newest === undefined) return null
  const job = executionJobOf(newest, stored)
  const lastNumbers = lastNumbersOf(stored.executionHistory)
  const later = executionsNamedIn(stored.history)
  const executions = stored.executions.flatMap((value) => {
    const here = tellerOf(tell, 'execution', value.key, `${place}/executions/${value.key}`)
    const facts = {
      ofFile: numbering,
      lastInHistory: lastNumbers.get(value.key) ?? null,
      inLaterHistory: later.has(value.key),
    }
    const read = orLeftOut(() => readExecution(value, job, facts, here), here)
    return read === undefined ? [] : [read]
  })
  const evaluations = stored.evaluations.flatMap((value, index) => {
    const here = tellerOf(tell, 'evaluation', value.key, `${place}/evaluations/${value.key}`)
    const read = orLeftOut(() => readEvaluation(value, newest, index + 1, here), here)
    return read === undefined ? [] : [read]
  })
  const history = readHistory(
    stored,
    { ...job, state: newest.state, revision: newest.revision },
    executions,
    (bucket, key) => tellerOf(tell, 'history', stored.id, `${place}/${bucket}/${key}`),
  )
  if (stored.history.length > 0) tellJob('derived', 'history-conclusion', HISTORY_CONCLUSION)
  const since = history.findLast(
    (entry) =>
      entry.executionId === null && entry.newState === newest.state && entry.previousState !== newest.state,
  )
  const stateSinceMs = since?.atMs ?? newest.stateSinceMs
  return {
    versions: versions.map(({ storedVersion: _, ...version }) => ({ ...version, stateSinceMs })),
    executions,
    evaluations,
    history,
  }
}

/** What is said of a history since v1.5. */
export const HISTORY_CONCLUSION =
  'its history names no states and no revisions; they are concluded from its words and from where the records stand'

/** What executions take from their job. */
export function executionJobOf(newest: ReadVersion, { versions }: Pick<StoredJob, 'versions'>): ExecutionJob {
  return {
    id: newest.id,
    namespace: newest.namespace,
    version: newest.version,
    versionShift: newest.version - newest.storedVersion,
    isInShares: versions.length > 0 && (newest.type === 'batch' || newest.type === 'service'),
  }
}

/** What goes with a job that cannot be read. */
function restOf({ executions, evaluations, jobHistory, executionHistory, history }: StoredJob): string {
  const entries = jobHistory.length + executionHistory.length + history.length
  if (executions.length + evaluations.length + entries === 0) return ''
  return `, with ${executions.length} executions, ${evaluations.length} evaluations and ${entries} history entries`
}

/** Makes a teller for one record at one place. */
export function tellerOf(tell: Tell, record: Note['record'], id: string, place: string): TellHere {
  return (kind, code, message) => tell({ kind, record, id, place, code, message })
}

/** A version of a job. */
export interface ReadVersion extends Job<JobSpec> {
  /** The number that it has in the file. */
  readonly storedVersion: number
}

/** More versions that are not in a file are not filled in: their number is one that nobody counted up to. */
const MAX_MISSING_VERSIONS = 100

/** Reads the versions of a job, oldest first, each with the state of the job. Throws `UnreadableRecord`. */
export function readVersions(
  stored: Pick<StoredJob, 'id' | 'spec' | 'versions'>,
  tell: TellHere,
): ReadVersion[] {
  if (stored.spec === null) throw new UnreadableRecord('wrong-type', 'it has no specification')
  const newest = readVersion(stored.spec, stored.id, tell)
  const byNumber = new Map<number, ReadVersion>()
  for (const { json } of stored.versions) {
    if (json === stored.spec) continue
    const version = orLeftOut(() => readVersion(json, stored.id, () => {}), tell)
    if (version !== undefined) byNumber.set(version.storedVersion, version)
  }
  byNumber.set(newest.storedVersion, newest)
  const numbers = [...byNumber.keys()].sort((a, b) => a - b)
  const shift = (numbers[0] ?? 0) < 1 ? 1 - (numbers[0] ?? 0) : 0
  const last = newest.storedVersion + shift
  if (last - numbers.length > MAX_MISSING_VERSIONS) {
    tell(
      'changed',
      'unfit-number',
      `its version ${newest.storedVersion} would have ${last - numbers.length} others before it that are not in the file; those that are count from 1`,
    )
    return numbers
      .filter((number) => number <= newest.storedVersion)
      .map((number, index) => ({
        ...(byNumber.get(number) ?? newest),
        ...stateOf(newest),
        version: index + 1,
        storedVersion: number,
      }))
  }
  const versions: ReadVersion[] = []
  let at = 0
  for (let number = 1; number <= last; number++) {
    while (at < numbers.length - 1 && (numbers[at] ?? 0) < number - shift) at += 1
    const own = byNumber.get(number - shift)
    const next = own ?? byNumber.get(numbers[at] ?? newest.storedVersion) ?? newest
    if (own === undefined)
      tell(
        'derived',
        'missing-version',
        `version ${number} is not in the file; version ${next.storedVersion + shift} stands for it`,
      )
    versions.push({ ...next, ...stateOf(newest), version: number, storedVersion: number - shift })
  }
  return versions
}

/** All versions are read with the state of the job. */
function stateOf({
  state,
  stateMessage,
  revision,
  modifiedAtMs,
  finishedAtMs,
  createdAtMs,
  stateSinceMs,
  deadlineAtMs,
  name,
  namespace,
  type,
}: ReadVersion) {
  return {
    state,
    stateMessage,
    revision,
    modifiedAtMs,
    finishedAtMs,
    createdAtMs,
    stateSinceMs,
    deadlineAtMs,
    name,
    namespace,
    type,
  }
}

function readVersion(json: string, id: string, tell: TellHere): ReadVersion {
  const record = parseObject(json)
  const fields = new RecordFields(record, '', tell)
  requireOwnPlace('ID', fields.requiredText('ID'), id)
  fields.tellUnknown(JOB_FIELDS)
  const definition = readDefinition(record, id, tell)
  const stored = fields.inner('State')
  const state = stored.raw('StateType')
  if (typeof state !== 'string' || !(JOB_STATES as readonly string[]).includes(state)) {
    throw new UnreadableRecord(
      'unknown-state',
      `its state ${JSON.stringify(state) ?? 'nothing'} is none of a job`,
    )
  }
  stored.tellNotKept(['Details'])
  const createdAtMs = fields.nanoseconds('CreateTime') ?? 0
  const modifiedAtMs = fields.nanoseconds('ModifyTime') ?? createdAtMs
  const hasEnded = JOB_MACHINE.terminal.has(state as JobState)
  const totalMs = (definition.spec.Tasks[0]?.Timeouts.TotalTimeout ?? 0) * 1_000
  return {
    ...definition,
    id,
    version: fields.count('Version'),
    storedVersion: fields.count('Version'),
    revision: Math.max(1, fields.count('Revision')),
    state: state as JobState,
    stateMessage: stored.text('Message'),
    stateSinceMs: modifiedAtMs,
    createdAtMs,
    modifiedAtMs,
    finishedAtMs: hasEnded ? modifiedAtMs : null,
    deadlineAtMs: hasEnded || totalMs <= 0 ? null : createdAtMs + totalMs,
    submitKey: null,
    hold: null,
  }
}

/** Reads an evaluation of a job. Throws `UnreadableRecord`. */
export function readEvaluation(
  { key, json }: StoredValue,
  job: Job,
  sequence: number,
  tell: TellHere,
): Evaluation {
  const fields = new RecordFields(parseObject(json), '', tell)
  requireOwnPlace('ID', fields.requiredText('ID'), key)
  const trigger = fields.text('TriggeredBy')
  if (!TRIGGERS.has(trigger))
    throw new UnreadableRecord('unknown-word', `its trigger ${JSON.stringify(trigger)} is not known`)
  const status = evaluationStatusOf(fields)
  const createdAtMs = fields.nanoseconds('CreateTime') ?? job.createdAtMs
  return {
    id: key,
    jobId: job.id,
    namespace: job.namespace,
    jobType: job.type,
    priority: job.priority,
    trigger: trigger as EvaluationTrigger,
    status,
    comment: fields.text('Comment'),
    dueAtMs: fields.time('WaitUntil') ?? createdAtMs,
    attempt: 0,
    lostLeases: 0,
    lease: null,
    sequence,
    createdAtMs,
    modifiedAtMs: fields.nanoseconds('ModifyTime') ?? createdAtMs,
  }
}

/** Reads the status of an evaluation. Throws `UnreadableRecord` where it is none. */
export function evaluationStatusOf(fields: RecordFields): EvaluationStatus {
  const status = fields.text('Status')
  // Bacalhau knows `blocked` besides, and no release writes it.
  if (status === 'blocked') return 'pending'
  const known = EVALUATION_STATUSES.find((name) => name === status)
  if (known !== undefined) return known
  throw new UnreadableRecord('unknown-word', `its status ${JSON.stringify(status)} is not known`)
}

/** The newest state of each execution in a history that has numbers. */
export function lastNumbersOf(history: readonly StoredValue[]): Map<string, number> {
  const found = new Map<string, number>()
  for (const { json } of history) {
    const match = /"ExecutionState":\{[^}]*"New":(\d{1,2})/.exec(json)
    const id = /"ExecutionID":"([^"]+)"/.exec(json)?.[1]
    if (match !== null && id !== undefined) found.set(id, Number(match[1]))
  }
  return found
}

/** The executions that a history speaks of. */
export function executionsNamedIn(history: readonly StoredValue[]): Set<string> {
  return new Set(history.flatMap(({ json }) => /"ExecutionID":"([^"]+)"/.exec(json)?.[1] ?? []))
}

/** A job of Bacalhau with everything that belongs to it. */
export type WholeBacalhauJob = WholeJob<JobSpec>
