import type { CapacityLedger } from '../capacity-ledger.ts'
import type { Capacity } from '../link/link.ts'

/** An execution that waits for its turn. */
export interface QueueEntry {
  readonly executionId: string
  /** Higher goes first. */
  readonly priority: number
  /** Lower goes first among equals; the time of creation on this node. */
  readonly createdAtMs: number
  readonly needs: Capacity
}

/** What may hold back all that waits, whatever is free in the ledger. */
export interface Hold {
  /** Why nothing may begin now; undefined where it may. */
  reason(): string | undefined
  /** Hears of it, with those that would be next. */
  tell(reason: string, executionIds: readonly string[]): void
  /** Hears again and again of those that are next while none of what waits could begin for a while. */
  tellStuck(next: readonly QueueEntry[]): void
}

const NO_HOLD: Hold = { reason: () => undefined, tell: () => undefined, tellStuck: () => undefined }

interface Place {
  readonly entry: QueueEntry
  passedOver: number
}

// An entry that smaller ones were let past so often is served before any behind it.
const PATIENCE = 100
/** After this, a queue that the machine holds back is looked at again. */
const HELD_MS = 500
/** A queue of which nothing began for so long is told of; one that moves says enough by that. */
const STUCK_MS = 2_000

// Only so many are looked at behind one that does not fit, so that a long queue costs no more than a short one.
const LOOK_AHEAD = 64

/**
 * The accepted executions that wait for capacity, by priority and then by age. Nothing of it is stored: what
 * waits is what the store says is accepted, and a start fills it from there.
 */
export class RunQueue {
  readonly #ledger: CapacityLedger
  readonly #maxRunning: number
  readonly #begin: (entry: QueueEntry) => Promise<void>
  readonly #hold: Hold
  #held: NodeJS.Timeout | undefined
  readonly #waiting: Place[] = []
  readonly #ids = new Set<string>()
  #open = false
  #stuck: NodeJS.Timeout | undefined
  #beganMs = 0

  /** `begin` carries one execution out; what it took is given back when it settles, and it must not reject. */
  constructor(
    ledger: CapacityLedger,
    maxRunning: number,
    begin: (entry: QueueEntry) => Promise<void>,
    hold: Hold = NO_HOLD,
  ) {
    this.#ledger = ledger
    this.#maxRunning = maxRunning
    this.#begin = begin
    this.#hold = hold
  }

  /** Number of executions that wait. */
  get length(): number {
    return this.#waiting.length
  }

  /** True while the machine holds back what waits. */
  get held(): boolean {
    return this.#held !== undefined
  }

  /** Tells whether what asks for so much would begin at once. */
  isFreeFor(needs: Capacity): boolean {
    if (!this.#open || this.held || this.#waiting.length > 0) return false
    return this.#ledger.holders < this.#maxRunning && this.#ledger.hasFree(needs)
  }

  /** Begins to serve. */
  open(): void {
    this.#open = true
    this.#serve()
  }

  /** Serves no more; what waits stays. */
  close(): void {
    this.#open = false
    clearTimeout(this.#held)
    this.#held = undefined
    clearTimeout(this.#stuck)
    this.#stuck = undefined
  }

  /** Adds an execution; one that waits already is not added again. */
  add(entry: QueueEntry): void {
    if (this.#ids.has(entry.executionId)) return
    this.#ids.add(entry.executionId)
    this.#waiting.splice(this.#placeOf(entry), 0, { entry, passedOver: 0 })
    this.#serve()
  }

  /** Begins with an execution that has what it needs already, whatever is free and whether the queue is served. */
  beginNow(entry: QueueEntry): void {
    this.#ledger.hold(entry.executionId, entry.needs)
    void this.#run(entry)
  }

  /** Takes an execution out. Returns whether it waited. */
  remove(executionId: string): boolean {
    if (!this.#ids.delete(executionId)) return false
    const index = this.#waiting.findIndex(({ entry }) => entry.executionId === executionId)
    this.#waiting.splice(index, 1)
    this.#serve()
    return true
  }

  /** The index of the first one that goes after an entry. */
  #placeOf(entry: QueueEntry): number {
    let low = 0
    let high = this.#waiting.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = this.#waiting[middle]
      if (other !== undefined && goesBefore(entry, other.entry)) high = middle
      else low = middle + 1
    }
    return low
  }

  #serve(): void {
    if (!this.#open || this.#held !== undefined) return
    const go: QueueEntry[] = []
    let index = 0
    while (index < LOOK_AHEAD && this.#ledger.holders < this.#maxRunning) {
      const place = this.#waiting[index]
      if (place === undefined) break
      const { entry, passedOver } = place
      // What the machine has left is dear to find out, and counts only for what would begin.
      if (this.#ledger.hasFree(entry.needs) && this.#holdsBack()) break
      if (this.#ledger.take(entry.executionId, entry.needs)) {
        this.#waiting.splice(index, 1)
        this.#ids.delete(entry.executionId)
        for (const before of this.#waiting.slice(0, index)) before.passedOver += 1
        go.push(entry)
      } else if (passedOver >= PATIENCE) {
        break
      } else {
        index += 1
      }
    }
    if (go.length > 0) this.#beganMs = performance.now()
    for (const entry of go) void this.#run(entry)
    this.#watch()
  }

  /** Has those that are next told of, as long as nothing begins. */
  #watch(): void {
    if (this.#stuck !== undefined || this.#waiting.length === 0) return
    this.#stuck = setTimeout(() => {
      this.#stuck = undefined
      const isStuck = this.#waiting.length > 0 && performance.now() - this.#beganMs >= STUCK_MS
      if (isStuck && !this.held)
        this.#hold.tellStuck(this.#waiting.slice(0, LOOK_AHEAD).map(({ entry }) => entry))
      this.#watch()
    }, STUCK_MS)
    this.#stuck.unref()
  }

  /** Tells whether the machine has too little left, and looks again later where it has. */
  #holdsBack(): boolean {
    const reason = this.#hold.reason()
    if (reason === undefined) return false
    this.#hold.tell(
      reason,
      this.#waiting.slice(0, LOOK_AHEAD).map(({ entry }) => entry.executionId),
    )
    this.#held = setTimeout(() => {
      this.#held = undefined
      this.#serve()
    }, HELD_MS)
    return true
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
