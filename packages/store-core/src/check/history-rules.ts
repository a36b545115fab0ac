import type { KvRow, KvSnapshot } from '../kv/contract.ts'
import { decodeTuple, endOfTuple } from '../kv/tuple.ts'
import type { HistoryEntry } from '../model/history.ts'
import type { StateMachine } from '../states/transitions.ts'
import { knownSequence } from '../store/damaged-meta.ts'
import type { ReadRecordState, RecordState } from '../store/history.ts'
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
  visit<S extends string>(
    { row, entry, subject, afterLoss }: HistoryStep,
    owner: Uint8Array,
    machine: StateMachine<S>,
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
    const { previousState: from, newState: to, revision, sequence } = entry
    const say = (rule: 'history-illegal' | 'history-revision' | 'sequence-ahead', message: string) =>
      findings.add(rule, 'history', row.key, subject, message)
    const { n, damaged } = knownSequence(snapshot)
    if (damaged !== true && sequence > n)
      say('sequence-ahead', `an entry lies beyond the newest sequence number ${n}`)
    const follows =
      before === undefined ? revision === 1 : [before.revision, before.revision + 1].includes(revision)
    if (!follows && !afterLoss) {
      say('history-revision', `revision ${revision} follows ${before?.revision ?? 'nothing'}`)
    }
    if ((before?.state ?? null) !== from) {
      say(
        'history-illegal',
        `an entry begins at ${from ?? 'nothing'}, the one before ended at ${before?.state ?? 'nothing'}`,
      )
    }
    const legal = from === null || afterLoss || isLegal(machine, from as S, to as S)
    if (!machine.states.includes(to as S) || !legal) {
      say('history-illegal', `there is no step from ${from ?? 'nothing'} to ${to}`)
    }
    this.#newest.set(subject, { state: to, revision })
  }

  /** Compares the ends of the histories of the last owner with the records. */
  end(snapshot: KvSnapshot, findings: Findings): void {
    const owner = this.#owner
    if (owner === null) return
    const [newest] = snapshot.keys('history', { gte: owner, lt: endOfTuple(owner), reverse: true, limit: 1 })
    // It goes on in entries that were written since, or that cannot be read.
    if (newest === undefined || Number(decodeTuple(newest).at(-1)) !== this.#last) return
    for (const [subject, { state, revision }] of this.#newest) {
      findings.guard(() => {
        const record = this.#readRecord(snapshot, owner, subject)
        if (record === undefined || (record.state === state && record.revision === revision)) return
        findings.add(
          'history-end',
          'history',
          newest,
          subject,
          `the history ends at revision ${revision} in ${state}, the record is at revision ${record.revision} in ${record.state}`,
        )
      })
    }
  }
}

/** A new version of a job may go from anywhere to `Pending`. */
function isLegal<S extends string>(machine: StateMachine<S>, from: S, to: S): boolean {
  return from === to || to === ('Pending' as S) || (machine.edges[from]?.includes(to) ?? false)
}
