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

  /** Tells whether an id was added. */
  has(id: string): boolean {
    const [high, low] = wordsOf(id)
    return this.#slots[2 * this.#find(high, low) + 1] !== 0
  }

  /** Adds an id; false where it is there already. */
  add(id: string): boolean {
    const added = this.#put(...wordsOf(id))
    if (added && this.#size > (this.#slots.length / 2) * FULLEST) this.#grow()
    return added
  }

  #put(high: number, low: number): boolean {
    const slot = this.#find(high, low)
    if (this.#slots[2 * slot + 1] !== 0) return false
    this.#slots[2 * slot] = high
    this.#slots[2 * slot + 1] = low
    this.#size += 1
    return true
  }

  /** The slot where it is, or would be. */
  #find(high: number, low: number): number {
    const slots = this.#slots
    const count = slots.length / 2
    for (let slot = high % count; ; slot = (slot + 1) % count) {
      const second = slots[2 * slot + 1]
      if (second === 0 || (second === low && slots[2 * slot] === high)) return slot
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

/** Two words of the hash of an id; the second one is never 0. */
function wordsOf(id: string): [number, number] {
  const digest = hash('sha1', id, 'buffer')
  return [digest.readUInt32LE(0), (digest.readUInt32LE(4) | 1) >>> 0]
}
