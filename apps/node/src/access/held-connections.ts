import type { Duplex } from 'node:stream'

/** A clock may be set while a connection is held, which no timer follows. */
const LOOK_MS = 1_000

/** What is in progress for whoever proved who they are: it is cut off when that ends. */
export class HeldConnections {
  readonly #held = new Map<string, Map<symbol, Duplex>>()
  /** What is released with a connection: of answers that stood behind another one nobody else says so. */
  readonly #releases = new WeakMap<Duplex, Set<() => void>>()
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
    const releases = this.#releasesOf(socket)
    const release = (): void => {
      stopTimer()
      held.delete(key)
      if (held.size === 0 && this.#held.get(who) === held) this.#held.delete(who)
      releases.delete(release)
    }
    releases.add(release)
    return release
  }

  /** Connections that are held now. */
  get size(): number {
    return [...this.#held.values()].reduce((sum, held) => sum + held.size, 0)
  }

  #releasesOf(socket: Duplex): Set<() => void> {
    const known = this.#releases.get(socket)
    if (known !== undefined) return known
    const releases = new Set<() => void>()
    this.#releases.set(socket, releases)
    socket.once('close', () => {
      for (const release of releases) release()
    })
    return releases
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
      else timer = setTimeout(wait, Math.min(leftMs, LOOK_MS)).unref()
    }
    wait()
    return () => clearTimeout(timer)
  }
}
