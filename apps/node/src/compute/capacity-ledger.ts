import type { Capacity } from '../link/link.ts'

const DIMENSIONS = ['cpu', 'memoryBytes', 'diskBytes', 'gpu'] as const

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
    return DIMENSIONS.filter((dimension) => needs[dimension] > this.total[dimension])
  }

  /** Tells whether so much is free. */
  hasFree(needs: Capacity): boolean {
    return DIMENSIONS.every(
      (dimension) => this.#used[dimension] + milli(needs[dimension]) <= milli(this.total[dimension]),
    )
  }

  /**
   * Takes what an execution needs. Returns false, and takes nothing, where that is not free or it has some already.
   */
  take(executionId: string, needs: Capacity): boolean {
    if (this.#held.has(executionId) || !this.hasFree(needs)) return false
    this.hold(executionId, needs)
    return true
  }

  /** Takes what an execution has already, whether that is free or not. */
  hold(executionId: string, needs: Capacity): void {
    if (this.#held.has(executionId)) return
    this.#held.set(executionId, needs)
    for (const dimension of DIMENSIONS) this.#used[dimension] += milli(needs[dimension])
  }

  /** Gives back what an execution held, if anything. */
  release(executionId: string): void {
    const needs = this.#held.get(executionId)
    if (needs === undefined) return
    this.#held.delete(executionId)
    for (const dimension of DIMENSIONS) this.#used[dimension] -= milli(needs[dimension])
  }

  /** Returns what nobody holds. */
  available(): Capacity {
    const free = (dimension: (typeof DIMENSIONS)[number]): number =>
      Math.max(0, milli(this.total[dimension]) - this.#used[dimension]) / 1000
    return {
      cpu: free('cpu'),
      memoryBytes: free('memoryBytes'),
      diskBytes: free('diskBytes'),
      gpu: free('gpu'),
    }
  }
}

function milli(amount: number): number {
  return Math.round(amount * 1000)
}
