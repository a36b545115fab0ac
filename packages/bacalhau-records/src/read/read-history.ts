import {
  EXECUTION_MACHINE,
  type Execution,
  type HistoryEntry,
  JOB_MACHINE,
  JOB_STATES,
} from '@saltcod/store-core'
import { HistoryChain, type HistoryJob, type HistoryRecord } from './history-chain.ts'
import { orLeftOut, type TellHere, UnreadableRecord } from './note.ts'
import { stateOfNumber } from './numbering.ts'
import { type ExecutionJob, versionOf } from './read-execution.ts'
import { parseObject, RecordFields } from './record-fields.ts'
import type { StoredJob, StoredValue } from './stored-job.ts'

/** The buckets of a job's history: two up to v1.4, and one for both since. */
export const HISTORY_LEVELS = { job_history: 'job', execution_history: 'execution', history: null } as const

/** The name of one of them. */
export type HistoryBucket = keyof typeof HISTORY_LEVELS

/** Finds the teller for a history entry under a key of a bucket. */
export type TellOf = (bucket: HistoryBucket, key: string) => TellHere

/**
 * Reads the history of a job and its executions, in the order of time. Entries since v1.5 name no states, and some
 * changes have none at all: states and revisions are concluded from the words, and from where the records stand.
 */
export function readHistory(
  stored: StoredJob,
  job: HistoryJob,
  executions: readonly Execution[],
  tellOf: TellOf,
): HistoryEntry[] {
  const read = (bucket: HistoryBucket, values: readonly StoredValue[]): HistoryRecord[] =>
    values.flatMap((value) => readHistoryRecord(bucket, value, job, tellOf(bucket, value.key)) ?? [])
  const earlier = inOrderOfTime(
    read('job_history', stored.jobHistory),
    read('execution_history', stored.executionHistory),
  )
  const records = [...earlier, ...read('history', stored.history)]
  const chain = new HistoryChain(job)
  for (const execution of executions) chain.stands(execution)
  for (const record of records) chain.expect(record)
  return records.map((record) => chain.next(record))
}

/** Reads an entry; `undefined` where it cannot be read, which is told. */
export function readHistoryRecord(
  bucket: HistoryBucket,
  value: StoredValue,
  job: ExecutionJob,
  tell: TellHere,
): HistoryRecord | undefined {
  return orLeftOut(() => readEntry(value, HISTORY_LEVELS[bucket], job, tell), tell)
}

/** Whether an entry of one bucket is before one of another, whose own order each of them keeps. */
export function isBefore(a: HistoryRecord, b: HistoryRecord): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.withinMs < b.withinMs)
}

function inOrderOfTime(
  ofJob: readonly HistoryRecord[],
  ofExecutions: readonly HistoryRecord[],
): HistoryRecord[] {
  const all: HistoryRecord[] = []
  let taken = 0
  for (const record of ofJob) {
    for (let other = ofExecutions[taken]; other !== undefined && isBefore(other, record); ) {
      all.push(other)
      taken += 1
      other = ofExecutions[taken]
    }
    all.push(record)
  }
  return [...all, ...ofExecutions.slice(taken)]
}

function readEntry(
  { json }: StoredValue,
  level: 'job' | 'execution' | null,
  job: ExecutionJob,
  tell: TellHere,
): HistoryRecord {
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
    next: stateWord(states.raw('New'), isExecution, tell) ?? saidState(isExecution, message, details),
    revision: fields.count('NewRevision') || null,
    message,
    topic: event.text('Topic'),
    details,
  }
}

/**
 * States of executions are numbers in histories up to v1.5.1 alone. A word that is no state of ours is told of, and
 * concluded from what else there is.
 */
function stateWord(value: unknown, isExecution: boolean, tell: TellHere): string | null {
  if (typeof value === 'number') return stateOfNumber(value, 'earlier') ?? null
  if (typeof value !== 'string' || value === '' || value === 'Undefined') return null
  const known: readonly string[] = (isExecution ? EXECUTION_MACHINE : JOB_MACHINE).states
  if (known.includes(value)) return value
  tell(
    'changed',
    'unknown-state',
    `it says the state ${JSON.stringify(value)}, which is none; it was concluded`,
  )
  return null
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
