import type { BoltDamage } from './bolt-bucket.ts'

const MOST_NAMED = 1_000

/**
 * Damage in the order in which it was met: a file may have more of it than fits into memory, so the rest is counted.
 */
export class BoltDamageList {
  readonly #named: BoltDamage[] = []
  #others = 0

  readonly add = (damage: BoltDamage): void => {
    if (this.#named.length < MOST_NAMED) this.#named.push(damage)
    else this.#others += damage.parts
  }

  get isEmpty(): boolean {
    return this.#named.length === 0
  }

  /** The first 1,000 of it, and one that stands for all others. */
  get all(): readonly BoltDamage[] {
    if (this.#others === 0) return this.#named
    const what = `${this.#others} more parts cannot be read`
    return [...this.#named, { path: [], what, parts: this.#others }]
  }
}
