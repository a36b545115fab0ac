import type { KvRow, KvTransaction } from '../kv/contract.ts'
import { decodeTuple, keyToHex } from '../kv/tuple.ts'
import type { HistoryEntry } from '../model/history.ts'
import type { StateMachine } from '../states/transitions.ts'
import type { RebuildRun } from './rebuild-run.ts'

/** Keeps of each history what follows without a gap from its beginning; the store's rules know no gap. */
export class HistoryFilter {
  readonly #run: RebuildRun
  #owner = ''
  #newest = new Map<string, { readonly state: string; readonly revision: number } | null>()

  constructor(run: RebuildRun) {
    this.#run = run
  }

  /** Looks at the next entry; `subject` is the record that it is about. */
  visit(
    row: KvRow,
    rows: KvTransaction,
    entry: HistoryEntry,
    subject: string,
    ownerKey: Uint8Array,
    machine: StateMachine<string>,
  ): void {
    const owner = keyToHex(ownerKey)
    if (owner !== this.#owner) {
      this.#owner = owner
      this.#newest = new Map()
    }
    const before = this.#newest.get(subject)
    if (before !== null && this.#follows(entry, before, machine)) {
      this.#newest.set(subject, { state: entry.newState, revision: entry.revision })
      this.#run.sawSequence(decodeTuple(row.key).at(-1))
      return
    }
    this.#newest.set(subject, null)
    this.#run.drop(rows, 'history', row, subject, 'an entry before it is missing')
  }

  #follows(
    { revision, previousState: from, newState: to }: HistoryEntry,
    before: { readonly state: string; readonly revision: number } | undefined,
    machine: StateMachine<string>,
  ): boolean {
    if (!machine.states.includes(to)) return false
    if (before === undefined) return revision === 1 && from === null
    const step = revision - before.revision
    if ((step !== 0 && step !== 1) || from !== before.state) return false
    return from === to || to === 'Pending' || (machine.edges[from]?.includes(to) ?? false)
  }
}
