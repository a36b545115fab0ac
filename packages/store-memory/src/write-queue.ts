import { performance } from 'node:perf_hooks'
// Imported and not taken from the global object, so that a test's fake timers do not stop the store.
import { setImmediate } from 'node:timers'

/** The longest time that one turn of the event loop spends on writes, in milliseconds. */
const MAX_TURN_MS = 20

/** Turns of foreground work after which waiting background work gets one request in. */
const FOREGROUND_TURNS = 3

/**
 * Carries out requests in the order in which they came, never in the turn in which they came, many in one
 * turn. Background requests wait for the foreground, and get every fourth turn while it has no end.
 */
export class WriteQueue {
  #foreground: (() => void)[] = []
  readonly #background: (() => void)[] = []
  readonly #waiting: (() => void)[] = []
  #scheduled = false
  #foregroundTurns = 0

  /** Adds a request, a function that settles its own promise and does not throw. */
  push(request: () => void, background: boolean): void {
    const queue = background ? this.#background : this.#foreground
    queue.push(request)
    this.#schedule()
  }

  /** Resolves when nothing is queued, at once if nothing is. */
  async idle(): Promise<void> {
    if (!this.#scheduled) return
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#turn()
    })
  }

  #turn(): void {
    const backgroundIsDue = this.#foreground.length === 0 || this.#foregroundTurns >= FOREGROUND_TURNS
    const background = backgroundIsDue ? this.#background.shift() : undefined
    if (background === undefined) this.#runForeground()
    else {
      this.#foregroundTurns = 0
      background()
    }
    this.#scheduled = false
    if (this.#foreground.length + this.#background.length > 0) this.#schedule()
    else for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #runForeground(): void {
    this.#foregroundTurns += 1
    const requests = this.#foreground
    this.#foreground = []
    const endsAt = performance.now() + MAX_TURN_MS
    for (const [index, request] of requests.entries()) {
      request()
      if (performance.now() < endsAt) continue
      this.#foreground = [...requests.slice(index + 1), ...this.#foreground]
      return
    }
  }
}
