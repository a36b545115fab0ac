import type { Capacity } from '../link/link.ts'
import type { CapacityLedger } from './capacity-ledger.ts'

/** An execution that waits for its turn. */
export interface QueueEntry {
  readonly executionId: string
  /** Higher goes first. */
  readonly priority: number
  /** Lower goes first among equals; the time of creation on this node. */
  readonly createdAtMs: number
  readonly needs: Capacity
}

interface Place {
  readonly entry: QueueEntry
  passedOver: number
}

// An entry that smaller ones were let past so often is served before any behind it.
const PATIENCE = 100

/**
 * The accepted executions that wait for capacity, by priority and then by age. Nothing of it is stored: what
 * waits is what the store says is accepted, and a start fills it from there.
 */
export class RunQueue {
  readonly #ledger: CapacityLedger
  readonly #maxRunning: number
  readonly #begin: (entry: QueueEntry) => Promise<void>
  #waiting: Place[] = []
  #open = false

  /** `begin` carries one execution out; what it took is given back when it settles, and it must not reject. */
  constructor(ledger: CapacityLedger, maxRunning: number, begin: (entry: QueueEntry) => Promise<void>) {
    this.#ledger = ledger
    this.#maxRunning = maxRunning
    this.#begin = begin
  }

  /** Number of executions that wait. */
  get length(): number {
    return this.#waiting.length
  }

  /** Begins to serve. */
  open(): void {
    this.#open = true
    this.#serve()
  }

  /** Serves no more; what waits stays. */
  close(): void {
    this.#open = false
  }

  /** Adds an execution; one that waits already is not added again. */
  add(entry: QueueEntry): void {
    if (this.#waiting.some(({ entry: other }) => other.executionId === entry.executionId)) return
    const place = this.#waiting.findIndex(({ entry: other }) => goesBefore(entry, other))
    this.#waiting.splice(place < 0 ? this.#waiting.length : place, 0, { entry, passedOver: 0 })
    this.#serve()
  }

  /** Takes an execution out. Returns whether it waited. */
  remove(executionId: string): boolean {
    const before = this.#waiting.length
    this.#waiting = this.#waiting.filter(({ entry }) => entry.executionId !== executionId)
    if (this.#waiting.length < before) this.#serve()
    return this.#waiting.length < before
  }

  #serve(): void {
    if (!this.#open) return
    const stay: Place[] = []
    const go: QueueEntry[] = []
    let blocked = false
    for (const place of this.#waiting) {
      const room = !blocked && this.#ledger.holders < this.#maxRunning
      if (room && this.#ledger.take(place.entry.executionId, place.entry.needs)) {
        for (const before of stay) before.passedOver += 1
        go.push(place.entry)
      } else {
        if (place.passedOver >= PATIENCE) blocked = true
        stay.push(place)
      }
    }
    this.#waiting = stay
    for (const entry of go) void this.#run(entry)
  }

  async #run(entry: QueueEntry): Promise<void> {
    try {
      await this.#begin(entry)
    } finally {
      this.#ledger.release(entry.executionId)
      this.#serve()
    }
  }
}

function goesBefore(one: QueueEntry, other: QueueEntry): boolean {
  if (one.priority !== other.priority) return one.priority > other.priority
  return one.createdAtMs < other.createdAtMs
}
