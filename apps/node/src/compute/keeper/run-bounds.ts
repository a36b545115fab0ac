import { DiskUse } from './disk-use.ts'
import type { RunOrders } from './protocol.ts'
import type { Cause } from './run-ending.ts'

const LOOK_MS = 100
/** The longest delay that a timer of Node takes. */
const TIMER_MS = 2 ** 31 - 1

/** Holds one run to its time, its disk and whatever else is looked at; says once what it exceeds. */
export class RunBounds {
  readonly #orders: RunOrders
  readonly #excess: () => Cause | undefined
  readonly #stop: (cause: Cause, graceMs: number) => void
  readonly #diskUse: DiskUse
  #looks: NodeJS.Timeout | undefined
  #deadline: NodeJS.Timeout | undefined

  /** `excess` looks at what is particular to the run; `stop` ends it, after a grace period where it may still behave. */
  constructor(
    orders: RunOrders,
    excess: () => Cause | undefined,
    stop: (cause: Cause, graceMs: number) => void,
  ) {
    this.#orders = orders
    this.#excess = excess
    this.#stop = stop
    this.#diskUse = new DiskUse(orders.cwd)
  }

  /** Begins to look, and to count the time. */
  start(): void {
    this.#looks = setInterval(() => this.#look(), LOOK_MS)
    const { timeMs } = this.#orders
    if (timeMs !== null) this.#limitTime(timeMs)
  }

  /** Looks no more. */
  end(): void {
    clearInterval(this.#looks)
    clearTimeout(this.#deadline)
    this.#diskUse.close()
  }

  #look(): void {
    const { outputBytes } = this.#orders
    const cause =
      this.#excess() ??
      ((this.#diskUse.look() ?? 0) > outputBytes
        ? ({ reason: 'killed', message: `it wrote more than its limit of ${outputBytes} bytes` } as const)
        : undefined)
    if (cause !== undefined) this.#stop(cause, 0)
  }

  #limitTime(leftMs: number): void {
    const { timeMs, graceMs } = this.#orders
    const message = `it ran longer than its limit of ${timeMs} ms`
    const stop = (): void => {
      if (leftMs > TIMER_MS) this.#limitTime(leftMs - TIMER_MS)
      else this.#stop({ reason: 'timeout', message }, graceMs)
    }
    this.#deadline = setTimeout(stop, Math.min(leftMs, TIMER_MS))
  }
}
