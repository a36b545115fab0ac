import { stepProblems } from '../check/history-rules.ts'
import type { KvRow, KvTransaction } from '../kv/contract.ts'
import { decodeTuple } from '../kv/tuple.ts'
import type { HistoryEntry } from '../model/history.ts'
import type { ReadRecordState } from '../rows/history.ts'
import type { StateMachine } from '../states/transitions.ts'
import type { RebuildRun } from './rebuild-run.ts'

/**
 * Keeps of each history what follows without a gap from its beginning; the store's rules know no gap. Where it then
 * does not lead up to the record, an entry says so.
 */
export class HistoryFilter {
  readonly #run: RebuildRun
  readonly #readRecord: ReadRecordState
  #owner: Uint8Array | null = null
  #newest = new Map<string, { readonly entry: HistoryEntry; readonly broken: boolean }>()

  constructor(run: RebuildRun, readRecord: ReadRecordState) {
    this.#run = run
    this.#readRecord = readRecord
  }

  /** Looks at the next entry; `subject` is the record that it is about. */
  visit(
    row: KvRow,
    rows: KvTransaction,
    entry: HistoryEntry,
    { subject, afterLoss }: { readonly subject: string; readonly afterLoss: boolean },
    ownerKey: Uint8Array,
    machine: StateMachine<string>,
  ): void {
    if (this.#owner === null || Buffer.compare(ownerKey, this.#owner) !== 0) {
      this.end(rows)
      this.#owner = ownerKey
      this.#newest = new Map()
    }
    const before = this.#newest.get(subject)
    const last = before && { state: before.entry.newState, revision: before.entry.revision }
    if (before?.broken !== true && stepProblems(entry, last, afterLoss, machine).length === 0) {
      this.#newest.set(subject, { entry, broken: false })
      this.#run.sawSequence(decodeTuple(row.key).at(-1))
      return
    }
    if (before !== undefined) this.#newest.set(subject, { ...before, broken: true })
    this.#run.drop(rows, 'history', row, subject, 'an entry before it is missing')
  }

  /** Compares the ends of the histories of the last owner with the records. */
  end(rows: KvTransaction): void {
    const owner = this.#owner
    if (owner === null) return
    for (const [subject, { entry }] of this.#newest) {
      const record = this.#readRecord(rows, owner, subject)
      if (record === undefined) continue
      if (record.state !== entry.newState || record.revision !== entry.revision) {
        this.#run.lostHistory.push({ ownerKey: owner, last: entry, record })
      }
    }
    this.#owner = null
  }
}
