import type { Capacity } from './link/link.ts'

/** What capacity consists of. */
export const DIMENSIONS = ['cpu', 'memoryBytes', 'diskBytes', 'gpu'] as const

/** Names the dimensions of which there is less than is asked for; empty where it would do. */
export function lackingIn(needs: Capacity, there: Capacity): readonly (keyof Capacity)[] {
  return DIMENSIONS.filter((dimension) => milli(needs[dimension]) > milli(there[dimension]))
}

/** Tells whether what is asked for is there. */
export function fitsIn(needs: Capacity, there: Capacity): boolean {
  return DIMENSIONS.every((dimension) => milli(needs[dimension]) <= milli(there[dimension]))
}

/** Returns what is left of something when so much is taken, and never less than nothing. */
export function leftOf(there: Capacity, needs: Capacity): Capacity {
  return capacityOf((dimension) => Math.max(0, milli(there[dimension]) - milli(needs[dimension])) / 1000)
}

/** How much of a node's capacity its executions hold. */
export class CapacityLedger {
  readonly total: Capacity
  readonly #held = new Map<string, Capacity>()
  // In thousandths, so that many additions of fractions of a core come out even.
  readonly #used = { cpu: 0, memoryBytes: 0, diskBytes: 0, gpu: 0 }

  constructor(total: Capacity) {
    this.total = total
  }

  /** Number of executions that hold something. */
  get holders(): number {
    return this.#held.size
  }

  /** Names the dimensions of which the whole node has less than is asked for; empty where it would do. */
  lacking(needs: Capacity): readonly (keyof Capacity)[] {
    return lackingIn(needs, this.total)
  }

  /** Tells whether so much is free. */
  hasFree(needs: Capacity): boolean {
    return DIMENSIONS.every(
      (dimension) => this.#used[dimension] + milli(needs[dimension]) <= milli(this.total[dimension]),
    )
  }

  /** Tells whether more is held than there is. */
  get overdrawn(): boolean {
    return DIMENSIONS.some((dimension) => this.#used[dimension] > milli(this.total[dimension]))
  }

  /**
   * Takes what an execution needs. Returns false, and takes nothing, where that is not free or it has some already.
   */
  take(executionId: string, needs: Capacity): boolean {
    return this.hasFree(needs) && this.hold(executionId, needs)
  }

  /** Notes what somebody holds, whether it is free or not. Returns false where it holds something already. */
  hold(holder: string, needs: Capacity): boolean {
    if (this.#held.has(holder)) return false
    this.#held.set(holder, needs)
    for (const dimension of DIMENSIONS) this.#used[dimension] += milli(needs[dimension])
    return true
  }

  /** Gives back what an execution held, if anything. Returns whether it did. */
  release(holder: string): boolean {
    const needs = this.#held.get(holder)
    if (needs === undefined) return false
    this.#held.delete(holder)
    for (const dimension of DIMENSIONS) this.#used[dimension] -= milli(needs[dimension])
    return true
  }

  /** Returns what nobody holds. */
  available(): Capacity {
    return capacityOf((dimension) => Math.max(0, milli(this.total[dimension]) - this.#used[dimension]) / 1000)
  }
}

function capacityOf(amount: (dimension: keyof Capacity) => number): Capacity {
  return {
    cpu: amount('cpu'),
    memoryBytes: amount('memoryBytes'),
    diskBytes: amount('diskBytes'),
    gpu: amount('gpu'),
  }
}

function milli(amount: number): number {
  return Math.round(amount * 1000)
}
