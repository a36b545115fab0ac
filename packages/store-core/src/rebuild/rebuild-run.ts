import type { KvRow, KvStore, KvTransaction } from '../kv/contract.ts'
import { decodeTuple, keyToHex } from '../kv/tuple.ts'
import type { RecordKind } from '../model/feed.ts'
import type { HistoryEntry } from '../model/history.ts'
import { addToCounter } from '../rows/counters.ts'
import type { RecordState } from '../rows/history.ts'
import { damagedRow } from '../rows/quarantine.ts'
import type { TableName } from '../rows/tables.ts'

/** A row that could not stay, because without it the store keeps all its rules. */
export interface DroppedRow {
  readonly table: string
  /** The key's bytes as hexadecimal text. */
  readonly key: string
  /** The record concerned; empty where it has none. */
  readonly id: string
  readonly reason: string
  /** The row's value as it was. */
  readonly value: Uint8Array
}

/** Gets each row that is dropped. */
export type OnDrop = (row: DroppedRow) => void

/** A history of which entries were lost. */
export interface LostHistory {
  readonly ownerKey: Uint8Array
  /** The last entry that is left. */
  readonly last: HistoryEntry
  readonly record: RecordState
}

interface Count {
  readonly kind: RecordKind
  readonly namespace: string
  readonly state: string
  records: number
  bytes: number
}

/** A job takes four rows for each of its 64 labels and versions at most; a batch must stay below 2,000. */
const BATCH_ROWS = 20

/** What the steps of a rebuild share: batches, counters, what is dropped, the newest sequence number. */
export class RebuildRun {
  readonly nowMs: number
  newestSequence = 0
  /** Histories that do not lead up to their record any more. */
  readonly lostHistory: LostHistory[] = []
  readonly #kv: KvStore
  readonly #onDrop: OnDrop
  readonly #counts = new Map<string, Count>()

  constructor(kv: KvStore, nowMs: number, onDrop: OnDrop) {
    this.#kv = kv
    this.nowMs = nowMs
    this.#onDrop = onDrop
  }

  /** Visits every row of a table in order; one that is damaged is dropped. */
  async each(
    table: TableName,
    visit: (row: KvRow, rows: KvTransaction) => void,
    batchRows: number = BATCH_ROWS,
  ): Promise<void> {
    let last: Uint8Array | undefined
    for (;;) {
      const from = last
      const step = await this.#kv.write((rows) => {
        const batch = rows.range(table, { ...(from === undefined ? {} : { gt: from }), limit: batchRows })
        for (const row of batch) this.#guard(table, row, rows, visit)
        return { last: batch.at(-1)?.key, more: batch.length === batchRows }
      })
      last = step.last
      if (!step.more) return
    }
  }

  /** Runs one step of its own. */
  async once(step: (rows: KvTransaction) => void): Promise<void> {
    await this.#kv.write(step)
  }

  /** Removes a row and tells of it. */
  drop(rows: KvTransaction, table: TableName, { key, value }: KvRow, id: string, reason: string): void {
    rows.remove(table, key)
    this.#onDrop({ table, key: keyToHex(key), id, reason, value })
  }

  /** Counts a record. */
  count(kind: RecordKind, namespace: string, state: string, bytes: number): void {
    const name = JSON.stringify([kind, namespace, state])
    const sum = this.#counts.get(name) ?? { kind, namespace, state, records: 0, bytes: 0 }
    sum.records += 1
    sum.bytes += bytes
    this.#counts.set(name, sum)
  }

  /** Writes the counters. */
  async writeCounters(): Promise<void> {
    await this.#kv.write((rows) => {
      for (const count of this.#counts.values()) addToCounter(rows, count, this.nowMs)
    })
  }

  /** Notes a sequence number that is in use. */
  sawSequence(sequence: unknown): void {
    if (typeof sequence === 'number' && sequence > this.newestSequence) this.newestSequence = sequence
  }

  #guard(
    table: TableName,
    row: KvRow,
    rows: KvTransaction,
    visit: (row: KvRow, rows: KvTransaction) => void,
  ): void {
    try {
      // A key that is no tuple belongs to nothing, whatever its value says.
      if (table !== 'quarantine') decodeTuple(row.key)
    } catch {
      this.drop(rows, table, row, '', 'the key cannot be decoded')
      return
    }
    try {
      visit(row, rows)
    } catch (error) {
      const damaged = damagedRow(error)
      if (damaged === null) throw error
      this.drop(rows, table, row, '', damaged.reason)
    }
  }
}
