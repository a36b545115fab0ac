import { CapacityLedger, DIMENSIONS } from '../../capacity-ledger.ts'
import type { Capacity, NodeDescription, NodeLoad } from '../../link/link.ts'
import type { NodeClosing, SchedulableNode } from '../scheduler/view.ts'

/** Ends are counted over so long. */
const COUNTED_MS = 1000
/**
 * From the end of an execution until the next one could be there, with all that it takes to plan it, far apart as the
 * machines may be.
 */
const ROUND_TRIP_MS = 250

/** What holds a part of a node. */
export interface Holder {
  readonly id: string
  readonly needs: Capacity
  /** It should run for ever, so that waiting for its end is no use. */
  readonly isLongRunning: boolean
}

/** A node as far as the requester has promised it away. */
export class NodeRoom implements SchedulableNode {
  description: NodeDescription
  load: NodeLoad
  closing: NodeClosing | null
  keptFor: SchedulableNode['keptFor'] = null
  /** What it has that is promised to nobody. */
  free: Capacity
  readonly #passed: () => number
  #all: CapacityLedger
  /** The part of it that is held for ever. */
  #forEver: CapacityLedger
  readonly #holders = new Map<string, Holder>()
  /** So many of them were put there without room for them. */
  #beyond = 0
  #ends = { sinceMs: Number.NEGATIVE_INFINITY, now: 0, before: 0 }

  /** `passed` tells the time that passes. */
  constructor(
    { description, load }: Pick<NodeRoom, 'description' | 'load'>,
    closing: NodeClosing | null,
    passed: () => number,
  ) {
    this.description = description
    this.load = load
    this.closing = closing
    this.#passed = passed
    this.#all = new CapacityLedger(description.capacity)
    this.#forEver = new CapacityLedger(description.capacity)
    this.free = this.#all.available()
  }

  /**
   * So many executions more than it has room for it may be given: as many as it ends while another one is on its way
   * to it. A node that ends none soon gets none ahead, for what waits there cannot go elsewhere.
   */
  get ahead(): number {
    const { now, before } = this.#endsLately()
    return Math.max(0, Math.floor((Math.max(now, before) * ROUND_TRIP_MS) / COUNTED_MS) - this.#beyond)
  }

  /** What holds something of it. */
  get holders(): Iterable<Holder> {
    return this.#holders.values()
  }

  /** Takes over what the node says of itself now. */
  describe(description: NodeDescription): void {
    this.description = description
    this.#all = new CapacityLedger(description.capacity)
    this.#forEver = new CapacityLedger(description.capacity)
    for (const holder of this.#holders.values()) this.#enter(holder)
    this.#settle()
  }

  /** How many executions that need so much it may be given now. */
  placesFor(needs: Capacity): number {
    let places = Number.POSITIVE_INFINITY
    for (const dimension of DIMENSIONS) {
      if (needs[dimension] <= 0) continue
      // A thousandth more, for tenths of a core that do not come out even.
      places = Math.min(places, Math.floor((this.free[dimension] + 0.0005) / needs[dimension]))
    }
    return Math.max(places, this.ahead)
  }

  /** Tells whether so much would be free if all ended that comes to an end. */
  canHave(needs: Capacity): boolean {
    return this.#forEver.hasFree(needs)
  }

  /** Promises a part of it. */
  hold(holder: Holder): void {
    if (this.#holders.has(holder.id)) return
    if (!this.#all.hasFree(holder.needs)) this.#beyond += 1
    this.#holders.set(holder.id, holder)
    this.#enter(holder)
    this.free = this.#all.available()
  }

  /** Takes a promise back. Returns whether there was one. */
  release(id: string): boolean {
    if (!this.#holders.delete(id)) return false
    this.#all.release(id)
    this.#forEver.release(id)
    if (this.#beyond > 0) this.#beyond -= 1
    this.#settle()
    return true
  }

  /** Notes that an execution has ended there. */
  countEnd(): void {
    this.#endsLately().now += 1
  }

  #enter({ id, needs, isLongRunning }: Holder): void {
    this.#all.hold(id, needs)
    if (isLongRunning) this.#forEver.hold(id, needs)
  }

  #settle(): void {
    if (!this.#all.overdrawn) this.#beyond = 0
    this.free = this.#all.available()
  }

  #endsLately(): { now: number; before: number } {
    const nowMs = this.#passed()
    const agoMs = nowMs - this.#ends.sinceMs
    if (agoMs >= COUNTED_MS)
      this.#ends = { sinceMs: nowMs, now: 0, before: agoMs < 2 * COUNTED_MS ? this.#ends.now : 0 }
    return this.#ends
  }
}
