import { requireList } from '../arguments/argument-types.ts'
import type { KvTransaction } from '../kv/contract.ts'
import { idTuple, tuple } from '../kv/tuple.ts'
import type { Change, RecordKind } from '../model/feed.ts'
import type { OutboxMessage } from '../model/outbox.ts'
import { addToCounter } from './counters.ts'
import { feedTable, packChange } from './feed-entry.ts'
import { readSequence, type SequenceRow, writeSequence } from './meta.ts'
import { putOutboxMessage } from './outbox.ts'
import { aheadOf, type Moment, shiftTime } from './steady-clock.ts'
import { INDEX } from './tables.ts'

/**
 * One change of a store under way: the rows of its transaction, its time, and what must be written with it
 * at the end (counters, feed entry, sequence). Everything is read and written in the transaction.
 */
export class Mutation {
  readonly rows: KvTransaction
  readonly nowMs: number
  /** The time by a clock that is never set; what somebody waits for is stored by it. */
  readonly steadyMs: number
  /** By how much that clock is ahead of the other; negative where it is behind. */
  readonly aheadMs: number
  readonly #start: SequenceRow
  #sequence: number
  #changes: Change[] = []
  #counts = new Map<
    string,
    { kind: RecordKind; namespace: string; state: string; records: number; bytes: number }
  >()

  constructor(rows: KvTransaction, moment: Moment) {
    this.rows = rows
    this.nowMs = moment.nowMs
    this.steadyMs = moment.steadyMs
    this.aheadMs = aheadOf(moment)
    this.#start = readSequence(rows)
    this.#sequence = this.#start.newest
  }

  /** Returns the steady time of what the clock tells. */
  steady(atMs: number): number {
    return shiftTime(atMs, this.aheadMs)
  }

  /** Returns the steady time of a deadline in a request; `undefined` and `null` are themselves. */
  steadyDeadline<T extends null | undefined>(atMs: number | T): number | T {
    return typeof atMs === 'number' ? this.steady(atMs) : atMs
  }

  /** Gives out the next sequence number. */
  nextSequence(): number {
    this.#sequence += 1
    return this.#sequence
  }

  /** Notes a change for the feed. */
  announce(change: Change): void {
    this.#changes.push(change)
  }

  /** Notes what the counter of a kind, namespace and state gains or loses. */
  count(kind: RecordKind, namespace: string, state: string, records: number, bytes: number): void {
    const name = `${kind} ${state} ${namespace}`
    const sum = this.#counts.get(name)
    if (sum === undefined) this.#counts.set(name, { kind, namespace, state, records, bytes })
    else {
      sum.records += records
      sum.bytes += bytes
    }
  }

  /** Adds an index row. */
  putIndex(key: Uint8Array, value: Uint8Array = EMPTY): void {
    this.rows.put('index', key, value)
  }

  /** Removes an index row. */
  removeIndex(key: Uint8Array): boolean {
    return this.rows.remove('index', key)
  }

  /** Sets, moves or removes the deadline of a record. */
  moveDeadline(
    kind: 'job' | 'execution',
    id: string,
    fromMs: number | undefined,
    toMs: number | undefined,
  ): void {
    if (fromMs === toMs) return
    if (fromMs !== undefined) this.removeIndex(deadlineKey(fromMs, kind, id))
    if (toMs !== undefined) this.putIndex(deadlineKey(toMs, kind, id))
  }

  /** Writes messages into the outbox. Throws `TypeError` or `INVALID_ARGUMENT`. */
  send(messages: readonly OutboxMessage[], maxBytes: number): void {
    requireList('outbox', messages)
    for (const [index, message] of messages.entries())
      putOutboxMessage(this.rows, this.nextSequence(), this.nowMs, message, index, maxBytes)
  }

  /** Writes counters, the feed entry and the sequence. The last step of every change. */
  finish(): void {
    for (const change of this.#counts.values()) {
      if (change.records !== 0 || change.bytes !== 0) addToCounter(this.rows, change, this.nowMs)
    }
    let { feedEntries, feedBytes } = this.#start
    if (this.#changes.length > 0) {
      feedEntries += 1
      const sequence = this.nextSequence()
      feedBytes += feedTable.put(this.rows, tuple(sequence), {
        atMs: this.nowMs,
        changes: this.#changes.map(packChange),
      })
    }
    if (this.#sequence !== this.#start.newest) {
      writeSequence(this.rows, {
        ...this.#start,
        newest: this.#sequence,
        newestAtMs: this.nowMs,
        feedEntries,
        feedBytes,
      })
    }
  }
}

const EMPTY = new Uint8Array(0)

/** The index row of a deadline. */
export function deadlineKey(dueMs: number, kind: 'job' | 'execution', id: string): Uint8Array {
  const head = tuple(INDEX.deadline, dueMs, kind)
  const tail = idTuple(kind === 'job' ? 'j' : 'e', id)
  return Buffer.concat([head, tail])
}
