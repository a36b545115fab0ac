import type { KvSnapshot, KvStore } from '../kv/contract.ts'
import { keyToHex, tuple } from '../kv/tuple.ts'
import type { RecordKind } from '../model/feed.ts'
import { readCounters } from '../rows/counters.ts'
import { knownSequence } from '../rows/damaged-meta.ts'
import { toChangeSet } from '../rows/feed-entry.ts'
import type { Findings } from './findings.ts'

interface Batch {
  readonly lastKey: string
  readonly sequence: number
}

interface Sum {
  records: number
  bytes: number
}

const FEED_STEP_ROWS = 1_000

/**
 * Counts records while the store goes on working. Each batch notes the sequence number that it saw; what
 * the feed tells of later changes is added, so the sum is the one of the moment at which the counters are read.
 */
export class Tally {
  readonly #sums = new Map<string, Sum>()
  readonly #batches = new Map<RecordKind, Batch[]>()
  readonly #keyOf: (kind: RecordKind, id: string) => Uint8Array
  #startCounters = ''
  #startSequence = 0

  constructor(keyOf: (kind: RecordKind, id: string) => Uint8Array) {
    this.#keyOf = keyOf
  }

  /** Notes the counters before the first batch. */
  begin(snapshot: KvSnapshot): void {
    this.#startCounters = JSON.stringify(readCounters(snapshot).counts)
    this.#startSequence = knownSequence(snapshot).newest
  }

  /** Counts a record. */
  add(kind: RecordKind, namespace: string, state: string, records: number, bytes: number): void {
    const name = JSON.stringify([kind, namespace, state])
    const sum = this.#sums.get(name) ?? { records: 0, bytes: 0 }
    sum.records += records
    sum.bytes += bytes
    this.#sums.set(name, sum)
  }

  /** Notes the end of a batch; `lastKey` is `null` for the last one of a kind. */
  endBatch(kind: RecordKind, lastKey: Uint8Array | null, snapshot: KvSnapshot): void {
    const batches = this.#batches.get(kind) ?? []
    batches.push({
      lastKey: lastKey === null ? '~' : keyToHex(lastKey),
      sequence: knownSequence(snapshot).newest,
    })
    this.#batches.set(kind, batches)
  }

  /**
   * Compares with the counters that are not damaged. Returns false where the store changed too fast to tell. Throws
   * `RECORD_CORRUPT` where an entry of the feed is damaged, so that there is nothing to compare with.
   */
  finish(kv: KvStore, findings: Findings): boolean {
    const end = kv.read((snapshot) => ({
      counters: readCounters(snapshot).counts,
      sequence: knownSequence(snapshot).newest,
      trimmed: knownSequence(snapshot).trimmed,
    }))
    if (end.trimmed > this.#startSequence) return false
    const still = JSON.stringify(end.counters) === this.#startCounters && end.sequence === this.#startSequence
    if (!still) kv.read((snapshot) => this.#replay(snapshot, end.sequence))
    const names = new Set(this.#sums.keys())
    const stored = new Map<string, Sum>()
    for (const { kind, namespace, state, records, bytes, damaged } of end.counters) {
      const name = JSON.stringify([kind, namespace, state])
      // The pass over the table of counters reports it.
      if (damaged === true) names.delete(name)
      else {
        names.add(name)
        stored.set(name, { records, bytes })
      }
    }
    const wrong: string[] = []
    for (const name of names) {
      const counted = this.#sums.get(name) ?? { records: 0, bytes: 0 }
      const kept = stored.get(name) ?? { records: 0, bytes: 0 }
      if (counted.records === kept.records && (!still || counted.bytes === kept.bytes)) continue
      wrong.push(
        `counter ${name} says ${kept.records} records and ${kept.bytes} bytes, there are ${counted.records} and ${counted.bytes}`,
      )
    }
    if (wrong.length > 0 && !still) return false
    for (const message of wrong) findings.add('counter-wrong', 'counters', null, '', message)
    return true
  }

  #replay(snapshot: KvSnapshot, untilSequence: number): void {
    let from = this.#startSequence
    for (;;) {
      const rows = snapshot.range('feed', {
        gt: tuple(from),
        lte: tuple(untilSequence),
        limit: FEED_STEP_ROWS,
      })
      for (const { key, value } of rows) {
        const { sequence, changes } = toChangeSet(key, value)
        from = sequence
        for (const change of changes) {
          if (this.#sequenceSeen(change.kind, change.id) >= from) continue
          const { kind, namespace, previousState, state } = change
          if (previousState !== null) this.add(kind, namespace, previousState, -1, 0)
          if (state !== null) this.add(kind, namespace, state, 1, 0)
        }
      }
      if (rows.length < FEED_STEP_ROWS) return
    }
  }

  /** The sequence number of the batch that a record's key fell into. */
  #sequenceSeen(kind: RecordKind, id: string): number {
    const key = keyToHex(this.#keyOf(kind, id))
    const batches = this.#batches.get(kind) ?? []
    let low = 0
    let high = batches.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (key <= (batches[middle]?.lastKey ?? '~')) high = middle
      else low = middle + 1
    }
    return batches[low]?.sequence ?? 0
  }
}
