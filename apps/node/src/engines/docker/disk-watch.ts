import { pause } from '../../waiting/pause.ts'
import type { SocketApi } from './socket-api.ts'

const FIRST_LOOK_MS = 1_000
const LOOK_MS = 2_000
/** A look, for which a server may have to walk through all files, may take this share of the time, all together. */
const SHARE = 20
const LONGEST_LOOK_MS = 30_000

/** What is watched of a container. */
export interface DiskLimit {
  readonly limitBytes: number
  readonly signal: AbortSignal
}

interface Watched {
  readonly api: SocketApi
  readonly container: string
  readonly limitBytes: number
  readonly signal: AbortSignal
  readonly tell: (full: 'full') => void
  dueMs: number
}

/** Watches how much containers write, one after the other, so that many cost their server no more than few. */
export class DiskWatch {
  readonly #watched = new Set<Watched>()
  #isLooking = false

  /**
   * Resolves once a container has written more into its file system than it may; never where the signal aborts before.
   * Volumes of its image are not counted, which servers tell nobody.
   */
  async untilFull(api: SocketApi, container: string, { limitBytes, signal }: DiskLimit): Promise<'full'> {
    return await new Promise((tell) => {
      if (signal.aborted) return
      const dueMs = performance.now() + FIRST_LOOK_MS
      const watched: Watched = { api, container, limitBytes, signal, tell, dueMs }
      this.#watched.add(watched)
      signal.addEventListener('abort', () => this.#watched.delete(watched), { once: true })
      if (!this.#isLooking) void this.#look()
    })
  }

  async #look(): Promise<void> {
    this.#isLooking = true
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const waitMs = next.dueMs - performance.now()
      if (waitMs > 0) {
        // What comes meanwhile is due later, and what goes is not looked at.
        await pause(waitMs, undefined, { ref: false })
        continue
      }
      const beganMs = performance.now()
      const bytes = await writtenBytes(next)
      const nowMs = performance.now()
      next.dueMs = nowMs + LOOK_MS
      if (bytes > next.limitBytes && this.#watched.delete(next)) next.tell('full')
      await pause(Math.min(SHARE * (nowMs - beganMs), LONGEST_LOOK_MS), undefined, { ref: false })
    }
    this.#isLooking = false
  }

  #next(): Watched | undefined {
    let first: Watched | undefined
    for (const watched of this.#watched)
      if (first === undefined || watched.dueMs < first.dueMs) first = watched
    return first
  }
}

async function writtenBytes({ api, container, signal }: Watched): Promise<number> {
  try {
    const { SizeRw = 0 } = await api.ask<{ readonly SizeRw?: number }>({
      path: `/containers/${container}/json`,
      query: { size: '1' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(LONGEST_LOOK_MS)]),
      waits: true,
    })
    return SizeRw
  } catch {
    // Whoever waits for its end sees what is wrong.
    return 0
  }
}
