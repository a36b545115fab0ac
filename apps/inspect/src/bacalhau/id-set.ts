import { hash } from 'node:crypto'

const FIRST_SLOTS = 1024
const FULLEST = 0.6

/**
 * Which ids have been seen, by 64 bits of a hash: some 20 bytes for each, whatever its length. That one of a million
 * is taken for another is a chance of one in thirty million.
 */
export class IdSet {
  /** Two words for each slot; both are 0 where it is free. */
  #slots = new Uint32Array(2 * FIRST_SLOTS)
  #size = 0

  /** Adds an id; false where it is there already. */
  add(id: string): boolean {
    const digest = hash('sha1', id, 'buffer')
    const added = this.#put(digest.readUInt32LE(0), digest.readUInt32LE(4) | 1)
    if (added && this.#size > (this.#slots.length / 2) * FULLEST) this.#grow()
    return added
  }

  #put(high: number, low: number): boolean {
    const slots = this.#slots
    const count = slots.length / 2
    for (let slot = high % count; ; slot = (slot + 1) % count) {
      const [first, second] = [slots[2 * slot], slots[2 * slot + 1]]
      if (second === 0) {
        slots[2 * slot] = high
        slots[2 * slot + 1] = low >>> 0
        this.#size += 1
        return true
      }
      if (first === high && second === low >>> 0) return false
    }
  }

  #grow(): void {
    const before = this.#slots
    this.#slots = new Uint32Array(2 * before.length)
    this.#size = 0
    for (let at = 0; at < before.length; at += 2) {
      const [high = 0, low = 0] = [before[at], before[at + 1]]
      if (low !== 0) this.#put(high, low)
    }
  }
}
