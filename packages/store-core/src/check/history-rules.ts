import type { KvRow, KvSnapshot } from '../kv/contract.ts'
import { decodeTuple, endOfTuple } from '../kv/tuple.ts'
import type { HistoryEntry } from '../model/history.ts'
import { knownSequence } from '../rows/damaged-meta.ts'
import type { ReadRecordState, RecordState } from '../rows/history.ts'
import { EXECUTION_MACHINE, LATE_COMPLETION, LATE_RETURN } from '../states/execution-state.ts'
import { edgesOf, type StateMachine } from '../states/transitions.ts'
import type { Findings } from './findings.ts'

/** A step of a record's history as the check sees it. */
export interface HistoryStep {
  readonly row: KvRow
  readonly entry: HistoryEntry
  /** The record that the entry is about. */
  readonly subject: string
  /** Set where a repair wrote it because entries before it were lost. */
  readonly afterLoss: boolean
}

/** A rule of histories that a step breaks, in words. */
export interface StepProblem {
  readonly rule: 'history-illegal' | 'history-revision'
  readonly message: string
}

/** Returns what is wrong with a step of a record's history behind the step before it. */
export function stepProblems(
  { previousState: from, newState: to, revision }: HistoryEntry,
  before: RecordState | undefined,
  afterLoss: boolean,
  machine: StateMachine<string>,
): StepProblem[] {
  const problems: StepProblem[] = []
  const follows =
    before === undefined ? revision === 1 : [before.revision, before.revision + 1].includes(revision)
  if (!follows && !afterLoss) {
    const message = `revision ${revision} follows ${before?.revision ?? 'nothing'}`
    problems.push({ rule: 'history-revision', message })
  }
  if ((before?.state ?? null) !== from) {
    const message = `an entry begins at ${from ?? 'nothing'}, the one before ended at ${before?.state ?? 'nothing'}`
    problems.push({ rule: 'history-illegal', message })
  }
  const legal = from === null || afterLoss || isLegal(machine, from, to)
  if (!machine.states.includes(to) || !legal) {
    problems.push({ rule: 'history-illegal', message: `there is no step from ${from ?? 'nothing'} to ${to}` })
  }
  return problems
}

/** Follows each record's history from entry to entry, up to its row; entries of one owner come one after the other. */
export class HistoryRules {
  readonly #readRecord: ReadRecordState
  #owner: Uint8Array | null = null
  #last = 0
  #newest = new Map<string, RecordState>()

  constructor(readRecord: ReadRecordState) {
    this.#readRecord = readRecord
  }

  /** Checks one entry against the one before it. */
  visit(
    { row, entry, subject, afterLoss }: HistoryStep,
    owner: Uint8Array,
    machine: StateMachine<string>,
    snapshot: KvSnapshot,
    findings: Findings,
  ): void {
    if (this.#owner === null || Buffer.compare(owner, this.#owner) !== 0) {
      this.end(snapshot, findings)
      this.#owner = owner
      this.#newest = new Map()
    }
    this.#last = entry.sequence
    const before = this.#newest.get(subject)
    const { newState, revision, sequence } = entry
    const { newest, damaged } = knownSequence(snapshot)
    if (damaged !== true && sequence > newest) {
      const message = `an entry lies beyond the newest sequence number ${newest}`
      findings.add('sequence-ahead', 'history', row.key, subject, message)
    }
    for (const { rule, message } of stepProblems(entry, before, afterLoss, machine)) {
      findings.add(rule, 'history', row.key, subject, message)
    }
    this.#newest.set(subject, { state: newState, revision })
  }

  /** Compares the ends of the histories of the last owner with the records. */
  end(snapshot: KvSnapshot, findings: Findings): void {
    const owner = this.#owner
    if (owner === null) return
    const [newest] = snapshot.keys('history', { gte: owner, lt: endOfTuple(owner), reverse: true, limit: 1 })
    // It goes on in entries that were written since, or that cannot be read.
    if (newest === undefined || Number(decodeTuple(newest).at(-1)) !== this.#last) return
    for (const [subject, { state, revision }] of this.#newest) {
      findings.guard(
        () => {
          const record = this.#readRecord(snapshot, owner, subject)
          if (record === undefined || (record.state === state && record.revision === revision)) return
          findings.add(
            'history-end',
            'history',
            newest,
            subject,
            `the history ends at revision ${revision} in ${state}, the record is at revision ${record.revision} in ${record.state}`,
          )
        },
        { table: 'history', key: newest },
      )
    }
  }
}

function isExecution(machine: StateMachine<string>): boolean {
  return (machine as unknown) === EXECUTION_MACHINE
}

/** A new version of a job may go from anywhere to `Pending`. */
function isLegal(machine: StateMachine<string>, from: string, to: string): boolean {
  if (from === to || to === 'Pending' || edgesOf(machine, from).includes(to)) return true
  if (!isExecution(machine)) return false
  const goesOn = from === LATE_RETURN.from && LATE_RETURN.to.some((state) => state === to)
  return goesOn || (from === LATE_COMPLETION.from && to === LATE_COMPLETION.to)
}
