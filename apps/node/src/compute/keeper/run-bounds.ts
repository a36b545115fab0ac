import type { OutcomeReason } from '../engine/engine.ts'
import { DiskUse } from './disk-use.ts'
import type { ExitRecord } from './exit-record.ts'
import type { RunOrders } from './protocol.ts'

const LOOK_MS = 100
/** The longest delay that a timer of Node takes. */
const TIMER_MS = 2 ** 31 - 1

/** A run that the keeper looks after. */
export interface KeptWork {
  /** Starts the job's own code. */
  go(): void
  /** Ends the job politely, where it can be told. */
  cancel(): void
  /** Ends the job at once, because nobody is left to answer for it; one that has not begun leaves nothing. */
  orphan(): void
  /** Kills the job's processes as far as they are known, without waiting. */
  kill(): void
}

/** Why a run is ended before its own end. */
export interface Cause {
  readonly reason: OutcomeReason
  readonly message: string
}

/** How a run ended. */
export type Ending = Pick<ExitRecord, 'reason' | 'exitCode' | 'signal' | 'errorMessage'>

/** The cause of those that are cancelled. */
export const CANCELLED: Cause = { reason: 'cancelled', message: 'it was cancelled' }

/** The cause of those whose node has ended. */
export const NODE_GONE: Cause = { reason: 'node-gone', message: 'the node that ran it ended' }

/** The cause of those that take too much memory. */
export function memoryCause(limitBytes: number): Cause {
  return { reason: 'memory', message: `it used more memory than its limit of ${limitBytes} bytes` }
}

/** What the exit of a process that nobody ended says. */
export function endingOf(exitCode: number | null, signal: string | null): Ending {
  if (signal === null) return { reason: 'exited', exitCode, signal, errorMessage: null }
  const why =
    signal === 'SIGXFSZ' ? 'it wrote a file longer than its limit' : `it was ended by the signal ${signal}`
  return { reason: 'killed', exitCode, signal, errorMessage: why }
}

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
