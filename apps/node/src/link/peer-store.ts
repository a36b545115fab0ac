import { type DurableStore, isStoreError, type Peer } from '@saltcod/store-core'
import type { Logger } from 'pino'
import type { LinkedStore } from './link.ts'
import { descentOf, MOST_OPENINGS_TOLD } from './store-descent.ts'

/** Returns what a side tells the other one of its own store. */
export async function linkedStore(store: DurableStore): Promise<LinkedStore> {
  const { storeId, sequence, incarnations } = await store.info()
  const openings = incarnations.map(({ id, firstSequence }) => ({ id, firstSequence }))
  return {
    storeId,
    durable: store.capabilities.durable,
    sequence,
    openings: openings.slice(0, MOST_OPENINGS_TOLD),
  }
}

/** What is needed to remember the stores of other sides. */
export interface PeerStoresOptions {
  /** The own store, which keeps what is known. */
  readonly store: DurableStore
  /** What the store of another side is called. */
  readonly word: string
  /** Takes whatever store another side has: it was put there on purpose. */
  readonly acceptsOthers: boolean
  readonly log: Logger
}

/** How another side is met. */
export interface MeetOptions {
  /** It is called otherwise than it is remembered. */
  readonly called?: string
  /** It was perhaps remembered by another name. */
  readonly formerly?: string
  /**
   * Called before a store is remembered that was put there on purpose: another one, another branch of the known one,
   * or one that looks as if it went on from that.
   */
  readonly onTaken?: (strangeness: string) => Promise<void>
}

/**
 * Which stores the other sides of a link had when they were worked with last, so that another one in the place of one,
 * or an older copy of it, is noticed. What is known may lag behind. A store in memory is another one at each start.
 */
export class PeerStores {
  readonly #options: PeerStoresOptions
  readonly #known = new Map<string, Peer>()

  constructor(options: PeerStoresOptions) {
    this.#options = options
  }

  /**
   * Compares the store of another side with the known one, and remembers it. Returns why it is refused, or `null`. It
   * may be `called` otherwise than it is remembered, and was perhaps `formerly` remembered by another name.
   */
  async meet(
    name: string,
    found: LinkedStore,
    { called = name, formerly, onTaken }: MeetOptions = {},
  ): Promise<string | null> {
    const { store, word, acceptsOthers } = this.#options
    const [opening] = found.openings
    if (!found.durable || !store.capabilities.durable || found.storeId === '' || opening === undefined)
      return null
    const known = await this.#readEither(name, formerly)
    const strangeness = known === null ? null : strangenessOf(known, found)
    const isMeant = known !== null && (await this.#isMeant(name, found))
    if (strangeness !== null && !isMeant && !acceptsOthers) return `the ${word} of ${called} ${strangeness}`
    if (strangeness !== null) await onTaken?.(strangeness)
    // What was known lagged behind by all that the copy lacks.
    else if (isMeant) await onTaken?.('was put there on purpose')
    await this.#noteMark(name, found)
    const { storeId, sequence } = found
    await this.#remember(name, {
      storeId,
      sequence,
      incarnation: opening.id,
      firstSequence: opening.firstSequence,
      seenAtMs: 0,
    })
    return null
  }

  /** Whether somebody put it there on purpose, and it was not taken for that before. */
  async #isMeant(name: string, { takenOver }: LinkedStore): Promise<boolean> {
    return takenOver !== undefined && (await this.#read(markOf(name)))?.incarnation !== takenOver
  }

  async #noteMark(name: string, found: LinkedStore): Promise<void> {
    const { takenOver: incarnation, storeId, sequence } = found
    if (incarnation === undefined || !(await this.#isMeant(name, found))) return
    await this.#remember(markOf(name), { storeId, sequence, incarnation, firstSequence: 0, seenAtMs: 0 })
  }

  /** Takes note of how far the store of another side has come that was met. */
  async hear(name: string, sequence: number): Promise<void> {
    const known = this.#known.get(name)
    if (known !== undefined && sequence > known.sequence) await this.#remember(name, { ...known, sequence })
  }

  async #readEither(name: string, formerly: string | undefined): Promise<Peer | null> {
    return (await this.#read(name)) ?? (formerly === undefined ? null : await this.#read(formerly))
  }

  async #read(name: string): Promise<Peer | null> {
    try {
      return await this.#options.store.getPeer(name)
    } catch (error) {
      if (!isStoreError(error, 'RECORD_CORRUPT')) throw error
      return null
    }
  }

  /** What cannot be written lags behind. */
  async #remember(name: string, { seenAtMs: _, ...peer }: Peer): Promise<void> {
    const { store, log } = this.#options
    this.#known.set(name, { ...peer, seenAtMs: 0 })
    try {
      await store.setPeer({ name, ...peer })
    } catch (error) {
      log.warn({ err: error, peer: name }, 'the store of the other side cannot be noted')
    }
  }
}

function markOf(name: string): string {
  return `${name} taken over`
}

/** Says what is strange about the store of another side beside the one that it had before; `null` where nothing is. */
export function strangenessOf(known: Peer, found: LinkedStore): string | null {
  const seen = `at ${new Date(known.seenAtMs).toISOString()}`
  const descent = descentOf(known, found)
  if (descent.kind === 'descends') return null
  if (!('why' in descent))
    return `is another one: its id is ${found.storeId}, and the one that was worked with ${seen} had the id ${known.storeId}`
  const what = descent.kind === 'fork' ? 'an older copy, or a fork,' : 'an older copy'
  return `is ${what} of the one that was worked with ${seen}: ${descent.why}`
}
