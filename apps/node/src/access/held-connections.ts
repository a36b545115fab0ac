import type { Duplex } from 'node:stream'
import { LONGEST_TIMER_MS } from '../waiting/pause.ts'

/** What is in progress for whoever proved who they are: it is cut off when that ends. */
export class HeldConnections {
  readonly #held = new Map<string, Map<symbol, Duplex>>()
  readonly #clock: () => number

  constructor(clock: () => number) {
    this.#clock = clock
  }

  /**
   * Notes what somebody has in progress on a connection, until what is returned is called. It is cut off when `who`
   * is, and at a time on the clock.
   */
  hold(who: string, socket: Duplex, untilMs: number | null): () => void {
    const held = this.#held.get(who) ?? new Map<symbol, Duplex>()
    this.#held.set(who, held)
    const key = Symbol(who)
    held.set(key, socket)
    const stopTimer = untilMs === null ? () => undefined : this.#cutAt(socket, untilMs)
    return () => {
      stopTimer()
      held.delete(key)
      if (held.size === 0 && this.#held.get(who) === held) this.#held.delete(who)
    }
  }

  /** Ends all connections on which somebody has something in progress, but for one of which the answer is due. */
  cut(who: string, spared?: Duplex): void {
    for (const socket of this.#held.get(who)?.values() ?? []) if (socket !== spared) socket.destroy()
  }

  #cutAt(socket: Duplex, untilMs: number): () => void {
    let timer: NodeJS.Timeout | undefined
    const wait = (): void => {
      const leftMs = untilMs - this.#clock()
      if (leftMs <= 0) socket.destroy()
      else timer = setTimeout(wait, Math.min(leftMs, LONGEST_TIMER_MS)).unref()
    }
    wait()
    return () => clearTimeout(timer)
  }
}
