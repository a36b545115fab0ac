import {
  EXECUTION_MACHINE,
  type Execution,
  type HistoryEntry,
  JOB_MACHINE,
  JOB_STATES,
  type Job,
} from '@saltcod/store-core'
import { orLeftOut, type TellHere, UnreadableRecord } from './note.ts'
import { stateOfNumber } from './numbering.ts'
import { type ExecutionJob, versionOf } from './read-execution.ts'
import { parseObject, RecordFields } from './record-fields.ts'
import type { StoredJob, StoredValue } from './stored-job.ts'

const JOB_EDGES = new Map<string, readonly string[]>(Object.entries(JOB_MACHINE.edges))
const EXECUTION_EDGES = new Map<string, readonly string[]>(Object.entries(EXECUTION_MACHINE.edges))

/** An entry as it stands in a file, before the states of what it is about are known. */
interface ReadEntry {
  readonly atMs: number
  /** Nanoseconds behind that. */
  readonly withinMs: number
  readonly executionId: string | null
  readonly nodeId: string | null
  readonly jobVersion: number
  /** Of entries up to v1.4, which have states; else what the words of the event say. */
  readonly next: string | null
  readonly revision: number | null
  readonly message: string
  readonly topic: string
  readonly details: Record<string, string>
}

/** Finds the teller for a history entry under a key of a bucket. */
export type TellOf = (bucket: string, key: string) => TellHere

/**
 * Reads the history of a job and its executions, in the order of time. Entries since v1.5 name no states, and some
 * changes have none at all: states and revisions are concluded from the words, and from where the records stand.
 */
export function readHistory(
  stored: StoredJob,
  job: Pick<Job, 'id' | 'state' | 'revision'> & ExecutionJob,
  executions: readonly Execution[],
  tellOf: TellOf,
): HistoryEntry[] {
  const read = (
    bucket: string,
    values: readonly StoredValue[],
    level: 'job' | 'execution' | null,
  ): ReadEntry[] =>
    values.flatMap((value) => {
      const tell = tellOf(bucket, value.key)
      const entry = orLeftOut(() => readEntry(value, level, job, tell), tell)
      return entry === undefined ? [] : [entry]
    })
  const earlier = [
    ...read('job_history', stored.jobHistory, 'job'),
    ...read('execution_history', stored.executionHistory, 'execution'),
  ]
  // Two buckets of the same time; what a later release wrote has one order for both.
  earlier.sort((a, b) => a.atMs - b.atMs || a.withinMs - b.withinMs)
  return follow([...earlier, ...read('history', stored.history, null)], job, executions)
}

function readEntry(
  { json }: StoredValue,
  level: 'job' | 'execution' | null,
  job: ExecutionJob,
  tell: TellHere,
): ReadEntry {
  const fields = new RecordFields(parseObject(json), '', tell)
  const executionId = fields.text('ExecutionID') || null
  const type = fields.text('Type')
  const isExecution = level === null ? type === 'ExecutionLevel' : level === 'execution'
  if (isExecution && executionId === null) throw new UnreadableRecord('wrong-type', 'it names no execution')
  const event = fields.inner('Event')
  const atMs = fields.time('Time') ?? event.time('Timestamp')
  if (atMs === null) throw new UnreadableRecord('wrong-type', 'it has no time')
  const message = event.text('Message') || fields.text('Comment')
  const details = event.texts('Details')
  const states = fields.inner(isExecution ? 'ExecutionState' : 'JobState')
  const nodeId = fields.text('NodeID') || (isExecution ? (details['NodeID'] ?? '') : '')
  return {
    atMs,
    withinMs: Number(/\.\d{3}(\d{1,6})/.exec(fields.text('Time'))?.[1]?.padEnd(6, '0') ?? 0),
    executionId: isExecution ? executionId : null,
    nodeId: nodeId === '' ? null : nodeId,
    jobVersion: versionOf(fields.count('JobVersion'), job),
    next: stateWord(states.raw('New')) ?? saidState(isExecution, message, details),
    revision: fields.count('NewRevision') || null,
    message,
    topic: event.text('Topic'),
    details,
  }
}

/** States of executions are numbers in histories up to v1.5.1 alone. */
function stateWord(value: unknown): string | null {
  if (typeof value === 'number') return stateOfNumber(value, 'earlier') ?? null
  return typeof value === 'string' && value !== '' && value !== 'Undefined' ? value : null
}

/** What Bacalhau v1.9.3 says as an execution moves (pkg/orchestrator/events.go). */
function saidState(
  isExecution: boolean,
  message: string,
  details: Readonly<Record<string, string>>,
): string | null {
  const said = details['NewState']
  if (!isExecution) {
    if (said !== undefined && (JOB_STATES as readonly string[]).includes(said)) return said
    return message === 'Job submitted' || message === 'Job updated' || message === 'Job rerun'
      ? 'Pending'
      : null
  }
  if (message.startsWith('Requested execution on')) return 'New'
  if (message === 'Running') return 'BidAccepted'
  return message === 'Completed successfully' ? 'Completed' : null
}

/** Puts the entries of each record into a chain that ends where the record stands. */
function follow(
  entries: readonly ReadEntry[],
  job: Pick<Job, 'id' | 'state' | 'revision'>,
  executions: readonly Execution[],
): HistoryEntry[] {
  const records = new Map<string, { state: string; revision: number; nodeId: string | null }>([
    [job.id, { state: job.state, revision: job.revision, nodeId: null }],
    ...executions.map(
      ({
        id,
        state,
        revision,
        nodeId,
      }): [string, { state: string; revision: number; nodeId: string | null }] => [
        id,
        { state, revision, nodeId },
      ],
    ),
  ])
  const lastOf = new Map(entries.map((entry, index) => [entry.executionId ?? job.id, index]))
  const before = new Map<string, { state: string; revision: number }>()
  return entries.map((entry, index): HistoryEntry => {
    const subject = entry.executionId ?? job.id
    const record = records.get(subject)
    const earlier = before.get(subject)
    const isLast = record !== undefined && lastOf.get(subject) === index
    const first = entry.executionId === null ? 'Pending' : 'New'
    const state = isLast ? record.state : (entry.next ?? earlier?.state ?? first)
    const counted = entry.revision ?? (earlier?.revision ?? 0) + 1
    const revision = isLast
      ? record.revision
      : Math.max(earlier?.revision ?? 1, Math.min(counted, record?.revision ?? counted))
    before.set(subject, { state, revision })
    const follows =
      earlier === undefined ? revision === 1 : [earlier.revision, earlier.revision + 1].includes(revision)
    return {
      sequence: index + 1,
      level: entry.executionId === null ? 'job' : 'execution',
      jobId: job.id,
      jobVersion: entry.jobVersion,
      executionId: entry.executionId,
      nodeId: entry.nodeId ?? (entry.executionId === null ? null : (record?.nodeId ?? null)),
      previousState: earlier?.state ?? null,
      newState: state,
      revision,
      event: { message: entry.message, topic: entry.topic, details: entry.details },
      atMs: entry.atMs,
      ...(follows && !isIllegal(entry, earlier?.state ?? null, state) ? {} : { afterGap: true }),
    }
  })
}

/** What Bacalhau wrote as one step is kept as one, whether or not it is one here. */
function isIllegal(entry: ReadEntry, from: string | null, to: string): boolean {
  const machine = entry.executionId === null ? JOB_EDGES : EXECUTION_EDGES
  return from !== null && from !== to && to !== 'Pending' && !(machine.get(from) ?? []).includes(to)
}
