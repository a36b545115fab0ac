import { formatDuration } from '@saltcod/units'
import { LONGEST_TIMER_MS } from '../../waiting/pause.ts'
import { DiskUse } from './disk-use.ts'
import { isSame, type JobUse } from './job-use.ts'
import type { RunOrders } from './protocol.ts'
import type { Cause } from './run-ending.ts'

const LOOK_MS = 100
/** After a second in which nothing of it has run, a run is looked at more rarely: many that sleep must cost little. */
const CALM_LOOKS = 10
const CALM_LOOK_MS = 400

/** What is looked at of a run. */
export interface WatchedUse {
  readonly look: () => JobUse
  /** Says what of that is too much. */
  readonly excess: (use: JobUse) => Cause | undefined
}

/** Holds one run to its time, its disk and whatever else is looked at; says once what it exceeds. */
export class RunBounds {
  readonly #orders: RunOrders
  readonly #watched: WatchedUse
  readonly #stop: (cause: Cause, graceMs: number) => void
  readonly #diskUse: DiskUse
  #looks: NodeJS.Timeout | undefined
  #last: JobUse | undefined
  #addedBytes = 0
  #calmLooks = 0
  #ended = false
  #deadline: NodeJS.Timeout | undefined

  /** `stop` ends the run, after a grace period where it may still behave. */
  constructor(orders: RunOrders, watched: WatchedUse, stop: (cause: Cause, graceMs: number) => void) {
    this.#orders = orders
    this.#watched = watched
    this.#stop = stop
    this.#diskUse = new DiskUse(orders.cwd)
  }

  /** Begins to look, and to count the time. */
  start(): void {
    this.#lookAfter(LOOK_MS)
    const { timeMs } = this.#orders
    if (timeMs !== null) this.#limitTime(timeMs, timeMs)
  }

  /** Looks no more. */
  end(): void {
    this.#ended = true
    clearTimeout(this.#looks)
    clearTimeout(this.#deadline)
    this.#diskUse.close()
  }

  #lookAfter(ms: number): void {
    this.#looks = setTimeout(() => {
      this.#look()
      // The run may have ended by it.
      if (!this.#ended) this.#lookAfter(this.#calmLooks < CALM_LOOKS ? LOOK_MS : CALM_LOOK_MS)
    }, ms)
  }

  #look(): void {
    const { outputBytes } = this.#orders
    let use: JobUse
    try {
      use = this.#watched.look()
    } catch {
      // Without descriptors nothing can be seen; the next look is soon.
      return
    }
    const addedBytes = this.#diskUse.look() ?? this.#addedBytes
    const isCalm =
      this.#last !== undefined &&
      isSame(this.#last, use) &&
      addedBytes === this.#addedBytes &&
      !this.#diskUse.underWay
    this.#calmLooks = isCalm ? this.#calmLooks + 1 : 0
    this.#last = use
    this.#addedBytes = addedBytes
    const cause =
      this.#watched.excess(use) ??
      (addedBytes > outputBytes
        ? ({ reason: 'killed', message: `it wrote more than its limit of ${outputBytes} bytes` } as const)
        : undefined)
    if (cause !== undefined) this.#stop(cause, 0)
  }

  #limitTime(timeMs: number, leftMs: number): void {
    const { graceMs } = this.#orders
    const message = `it ran longer than its limit of ${formatDuration(timeMs)}`
    const stop = (): void => {
      if (leftMs > LONGEST_TIMER_MS) this.#limitTime(timeMs, leftMs - LONGEST_TIMER_MS)
      else this.#stop({ reason: 'timeout', message }, graceMs)
    }
    this.#deadline = setTimeout(stop, Math.min(leftMs, LONGEST_TIMER_MS))
  }
}
