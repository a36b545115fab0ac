import {
  EXECUTION_MACHINE,
  type Execution,
  type HistoryEntry,
  JOB_MACHINE,
  type Job,
} from '@saltcod/store-core'
import type { ExecutionJob } from './read-execution.ts'

const JOB_EDGES = new Map<string, readonly string[]>(Object.entries(JOB_MACHINE.edges))
const EXECUTION_EDGES = new Map<string, readonly string[]>(Object.entries(EXECUTION_MACHINE.edges))

/** An entry as it stands in a file, before the states of what it is about are known. */
export interface HistoryRecord {
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

/** What the history of a job is read by. */
export type HistoryJob = Pick<Job, 'id' | 'state' | 'revision'> & ExecutionJob

/** A record that a history speaks of: the job, or an execution. */
interface Subject {
  /** Entries that are still to come. */
  left: number
  /** Where it stands; `null` where there is no such record. */
  end: { readonly state: string; readonly revision: number; readonly nodeId: string | null } | null
  /** Where its history has come to. */
  state: string | null
  revision: number
}

/** Puts the entries of each record into a chain that ends where the record stands. */
export class HistoryChain {
  readonly #job: HistoryJob
  readonly #subjects = new Map<string, Subject>()
  #sequence = 0

  constructor(job: HistoryJob) {
    this.#job = job
    this.#subjectOf(job.id).end = { state: job.state, revision: job.revision, nodeId: null }
  }

  /** Says where an execution stands, before its entries are put. */
  stands({ id, state, revision, nodeId }: Pick<Execution, 'id' | 'state' | 'revision' | 'nodeId'>): void {
    this.#subjectOf(id).end = { state, revision, nodeId }
  }

  /** Says that an entry will come; each must be known before the first one is put. */
  expect({ executionId }: HistoryRecord): void {
    this.#subjectOf(executionId ?? this.#job.id).left += 1
  }

  /** The state to which the history of a record has come; `null` where it has none. */
  stateOf(executionId: string | null): string | null {
    return this.#subjects.get(executionId ?? this.#job.id)?.state ?? null
  }

  /** Entries that were put. */
  get entries(): number {
    return this.#sequence
  }

  /** Puts the next entry. */
  next(record: HistoryRecord): HistoryEntry {
    const { executionId } = record
    const subject = this.#subjectOf(executionId ?? this.#job.id)
    const { end, state: before, revision: lastRevision } = subject
    subject.left -= 1
    const last = subject.left === 0 ? end : null
    const first = executionId === null ? 'Pending' : 'New'
    const counted = record.revision ?? lastRevision + 1
    const state = last?.state ?? record.next ?? before ?? first
    const revision =
      last?.revision ??
      Math.max(before === null ? 1 : lastRevision, Math.min(counted, end?.revision ?? counted))
    subject.state = state
    subject.revision = revision
    const follows = before === null ? revision === 1 : [lastRevision, lastRevision + 1].includes(revision)
    this.#sequence += 1
    return {
      sequence: this.#sequence,
      level: executionId === null ? 'job' : 'execution',
      jobId: this.#job.id,
      jobVersion: record.jobVersion,
      executionId,
      nodeId: record.nodeId ?? (executionId === null ? null : (end?.nodeId ?? null)),
      previousState: before,
      newState: state,
      revision,
      event: { message: record.message, topic: record.topic, details: record.details },
      atMs: record.atMs,
      ...(follows && !isIllegal(record, before, state) ? {} : { afterGap: true }),
    }
  }

  #subjectOf(id: string): Subject {
    const known = this.#subjects.get(id)
    if (known !== undefined) return known
    const subject: Subject = { left: 0, end: null, state: null, revision: 0 }
    this.#subjects.set(id, subject)
    return subject
  }
}

/** What Bacalhau wrote as one step is kept as one, whether or not it is one here. */
function isIllegal(entry: Pick<HistoryRecord, 'executionId'>, from: string | null, to: string): boolean {
  const machine = entry.executionId === null ? JOB_EDGES : EXECUTION_EDGES
  return from !== null && from !== to && to !== 'Pending' && !(machine.get(from) ?? []).includes(to)
}
