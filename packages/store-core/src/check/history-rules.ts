import type { KvRow, KvSnapshot } from '../kv/contract.ts'
import type { HistoryEntry } from '../model/history.ts'
import type { StateMachine } from '../states/transitions.ts'
import { knownSequence } from '../store/damaged-meta.ts'
import type { Findings } from './findings.ts'

/** A step of a record's history as the check sees it. */
export interface HistoryStep {
  readonly row: KvRow
  readonly entry: HistoryEntry
  /** The record that the entry is about. */
  readonly subject: string
}

/** Follows each record's history from entry to entry; entries of one owner come one after the other. */
export class HistoryRules {
  #owner = ''
  #newest = new Map<string, { state: string; revision: number }>()

  /** Checks one entry against the one before it. */
  visit<S extends string>(
    { row, entry, subject }: HistoryStep,
    owner: string,
    machine: StateMachine<S>,
    snapshot: KvSnapshot,
    findings: Findings,
  ): void {
    if (owner !== this.#owner) {
      this.#owner = owner
      this.#newest = new Map()
    }
    const before = this.#newest.get(subject)
    const { previousState: from, newState: to, revision, sequence } = entry
    const say = (rule: 'history-illegal' | 'history-revision' | 'sequence-ahead', message: string) =>
      findings.add(rule, 'history', row.key, subject, message)
    const { n, damaged } = knownSequence(snapshot)
    if (damaged !== true && sequence > n)
      say('sequence-ahead', `an entry lies beyond the newest sequence number ${n}`)
    const follows =
      before === undefined ? revision === 1 : [before.revision, before.revision + 1].includes(revision)
    if (!follows) {
      say('history-revision', `revision ${revision} follows ${before?.revision ?? 'nothing'}`)
    }
    if ((before?.state ?? null) !== from) {
      say(
        'history-illegal',
        `an entry begins at ${from ?? 'nothing'}, the one before ended at ${before?.state ?? 'nothing'}`,
      )
    }
    if (!machine.states.includes(to as S) || (from !== null && !isLegal(machine, from as S, to as S))) {
      say('history-illegal', `there is no step from ${from ?? 'nothing'} to ${to}`)
    }
    this.#newest.set(subject, { state: to, revision })
  }
}

/** A new version of a job may go from anywhere to `Pending`. */
function isLegal<S extends string>(machine: StateMachine<S>, from: S, to: S): boolean {
  return from === to || to === ('Pending' as S) || (machine.edges[from]?.includes(to) ?? false)
}
