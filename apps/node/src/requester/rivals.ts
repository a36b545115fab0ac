import type { LinkedStore } from '../link/link.ts'

/** Who came with the identity of a node that may live, and how often that one had been heard of then. */
interface Contender {
  readonly incarnation: string
  readonly touches: number
}

/**
 * Which nodes come with the identity of another one. A later opening of a store takes the place of the one before at
 * once, as after a restart; where that one is heard of all the same, the later one is of a copy of the store, and
 * gives the place back.
 */
export class Rivals {
  readonly #contenders = new Map<string, Contender>()
  /** The opening of each node whose place was taken by a later one. */
  readonly #displaced = new Map<string, string>()
  /** Openings that took the place of one that lived. */
  readonly #copies = new Map<string, Set<string>>()

  /** Notes that a later opening takes the place of the one that was known. */
  displace(nodeId: string, incarnation: string, { openings }: LinkedStore): void {
    if (openings[0]?.id !== incarnation) this.#displaced.set(nodeId, incarnation)
  }

  /**
   * Tells whether a process comes whose place was taken by another one, so that both live. The one that has it now is
   * taken for the copy from then on.
   */
  takesBack(nodeId: string, { openings }: LinkedStore, holder: string): boolean {
    if (openings[0]?.id !== this.#displaced.get(nodeId)) return false
    this.#displaced.delete(nodeId)
    const copies = this.#copies.get(nodeId) ?? new Set()
    this.#copies.set(nodeId, copies.add(holder))
    return true
  }

  /** Tells whether a store was found to be a copy, or was opened again since. */
  isCopy(nodeId: string, { openings }: LinkedStore): boolean {
    const copies = this.#copies.get(nodeId)
    return copies !== undefined && openings.some(({ id }) => copies.has(id))
  }

  /**
   * Notes that somebody came with the identity of a node that was heard of so often. Returns whether that one has been
   * heard of since it was said so first.
   */
  contend(nodeId: string, { openings }: LinkedStore, touches: number): boolean {
    const incarnation = openings[0]?.id ?? ''
    const before = this.#contenders.get(nodeId)
    if (before?.incarnation === incarnation) return touches > before.touches
    this.#contenders.set(nodeId, { incarnation, touches })
    return false
  }

  /** Notes that a node was taken in: whoever else came with its identity meanwhile knows now that it lives. */
  settle(nodeId: string, found: LinkedStore): void {
    const contender = this.#contenders.get(nodeId)
    const isOther = contender !== undefined && contender.incarnation !== found.openings[0]?.id
    if (isOther) this.#contenders.set(nodeId, { ...contender, touches: -1 })
    else this.#contenders.delete(nodeId)
    if (this.isCopy(nodeId, found)) this.#copies.delete(nodeId)
  }
}
