import { availableParallelism } from 'node:os'

/** An idle one beyond the number of cores ends after this. */
const IDLE_MS = 10_000

/** What works for one job at a time, and may be kept for the next. */
export interface Kept {
  /** Which jobs it takes; undefined before the first, null for no other. */
  sharing: string | null | undefined
  /** When its last job ended. */
  idleSinceMs: number
  /** True when it takes no job any more. */
  readonly gone: boolean
  /** Lets it end. */
  close(): void
}

/** Those that wait for their next job: what jobs of one kind leave behind is for jobs of that kind alone. */
export class IdlePool<T extends Kept> {
  readonly #idle: T[] = []
  #tidying: NodeJS.Timeout | undefined

  /**
   * Takes one for a job: one that had jobs of the same kind, else one that had none; undefined where there is none
   * that fits.
   */
  take(sharing: string | null, fits: (one: T) => boolean = () => true): T | undefined {
    const one =
      this.#remove((kept) => sharing !== null && kept.sharing === sharing && fits(kept)) ??
      this.#remove((kept) => kept.sharing === undefined && fits(kept))
    if (one !== undefined) one.sharing = sharing
    return one
  }

  /** Tells whether one that had no job is there. */
  hasUnused(fits: (one: T) => boolean): boolean {
    return this.#idle.some((kept) => kept.sharing === undefined && !kept.gone && fits(kept))
  }

  /** Takes one in that waits from now on. */
  add(one: T): void {
    one.idleSinceMs = performance.now()
    this.#idle.push(one)
    this.#tidying ??= setInterval(() => this.#endIdle(), IDLE_MS).unref()
  }

  /** Takes out the one that waited shortest, so that the others can end. */
  #remove(fits: (one: T) => boolean): T | undefined {
    const index = this.#idle.findLastIndex((kept) => !kept.gone && fits(kept))
    return index < 0 ? undefined : this.#idle.splice(index, 1)[0]
  }

  #endIdle(): void {
    const spare = availableParallelism() + 1
    const before = performance.now() - IDLE_MS
    for (let left = this.#idle.length - spare; left > 0; left -= 1) {
      const [oldest] = this.#idle
      if (oldest === undefined || oldest.idleSinceMs > before) return
      this.#idle.shift()
      if (!oldest.gone) oldest.close()
    }
  }
}
