import { Failure, isFailure, printable, shortId, type Terminal } from '@saltcod/cli-kit'
import { formatDuration } from '@saltcod/units'
import { wasLost } from '../client/unreachable.ts'
import { EXIT } from '../exit-code.ts'
import { pause } from '../waiting/pause.ts'
import { retry } from '../waiting/retry.ts'
import { Interrupt } from './interrupt.ts'

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 1_000

/** What is waited for, in the words that a command has for it. */
export interface WaitedFor {
  /** The node has answered already; one that never did is not waited for. */
  readonly isMet: boolean
  /** What becomes of it when its node is back, as a clause. */
  readonly onReturn: string
  /** What goes on when nobody waits any more. */
  readonly goesOn: string
  /** What can be done after Ctrl-C. */
  readonly afterInterrupt: string
  /** What can be done when the node has not come back in time. */
  readonly afterLoss: string
}

/** Options of commands that wait. */
export interface NodeWaitOptions {
  /** For how long a node that was lost is waited for; 0 for not at all. */
  readonly waitForNode: number
}

/** The words for a job. */
export function waitedJob(id: string): WaitedFor {
  const short = shortId(id, false)
  const look = `look at it with: saltcod job describe ${short}`
  return {
    isMet: true,
    onReturn: 'the job goes on when it is back',
    goesOn: `job ${id} goes on`,
    afterInterrupt: `${look}; stop it with: saltcod job stop ${short}`,
    afterLoss: `the job goes on when its node is started again; ${look}`,
  }
}

/** Runs what waits for something that goes on without it. Ctrl-C ends it with a `Failure`. */
export async function waiting<T>(
  terminal: Terminal,
  waitedFor: WaitedFor,
  { waitForNode }: NodeWaitOptions,
  run: (wait: NodeWait) => Promise<T>,
): Promise<T> {
  const interrupt = new Interrupt()
  try {
    return await run(new NodeWait(terminal, waitedFor, waitForNode, interrupt.signal))
  } finally {
    interrupt.close()
  }
}

/**
 * What a command does while its node cannot be reached: what goes on when the node is started anew is waited for until
 * then. A node that never answered is not waited for. Ends with a `Failure` that says what goes on, and how to look at
 * it.
 */
export class NodeWait {
  readonly #terminal: Terminal
  readonly #for: WaitedFor
  readonly #mostMs: number
  readonly #signal: AbortSignal
  #isMet: boolean
  /** Whoever waits was told that the node is lost. */
  #isTold = false
  #losses = 0

  constructor(terminal: Terminal, waitedFor: WaitedFor, mostMs: number, signal: AbortSignal) {
    this.#terminal = terminal
    this.#for = waitedFor
    this.#mostMs = mostMs
    this.#signal = signal
    this.#isMet = waitedFor.isMet
  }

  get signal(): AbortSignal {
    return this.#signal
  }

  /** How often the node was lost and came back. */
  get losses(): number {
    return this.#losses
  }

  /** Asks a node something that may be asked again, until it answers. */
  async call<T>(ask: () => Promise<T>): Promise<T> {
    this.refuseInterrupted()
    let lostAtMs: number | undefined
    try {
      const answer = await retry(() => this.#unlessInterrupted(ask()), {
        signal: this.#signal,
        firstWaitMs: FIRST_PAUSE_MS,
        longestWaitMs: LONGEST_PAUSE_MS,
        isFinal: (error) => {
          if (!this.#isLoss(error)) return true
          lostAtMs ??= performance.now()
          return performance.now() - lostAtMs >= this.#mostMs
        },
        onFailure: (error) => this.#tell(error),
      })
      this.#isMet = true
      if (lostAtMs !== undefined) this.#found()
      return answer
    } catch (error) {
      this.refuseInterrupted()
      throw this.#isLoss(error) ? this.#givenUp(error) : error
    } finally {
      this.#isTold = false
    }
  }

  /** Waits a moment. Throws a `Failure` at Ctrl-C. */
  async pause(ms: number): Promise<void> {
    await pause(ms, this.#signal)
    this.refuseInterrupted()
  }

  /** Throws a `Failure` after Ctrl-C. */
  refuseInterrupted(): void {
    if (!this.#signal.aborted) return
    throw new Failure(EXIT.interrupted, `no longer waiting: ${this.#for.goesOn}`, {
      hint: this.#for.afterInterrupt,
    })
  }

  /** A node that hangs must not keep Ctrl-C from its effect. */
  async #unlessInterrupted<T>(answer: Promise<T>): Promise<T> {
    let onAbort = (): void => undefined
    const aborted = new Promise<void>((resolve) => {
      onAbort = () => resolve()
      this.#signal.addEventListener('abort', onAbort, { once: true })
    })
    try {
      const first = await Promise.race([answer.then((value) => ({ value })), aborted])
      if (first !== undefined) return first.value
      this.refuseInterrupted()
      return await answer
    } finally {
      this.#signal.removeEventListener('abort', onAbort)
    }
  }

  #found(): void {
    this.#losses += 1
    this.#terminal.err('The node is back.\n')
  }

  /** Tells whether an error says that a node which had answered cannot be reached for now. */
  #isLoss(error: unknown): error is Failure {
    return isFailure(error) && error.exitCode === EXIT.unreachable && (this.#isMet || wasLost(error))
  }

  #tell(error: unknown): void {
    if (this.#isTold || !this.#isLoss(error)) return
    this.#isTold = true
    this.#isMet = true
    const most = formatDuration(this.#mostMs)
    this.#terminal.err(
      `Warning: ${printable(error.message)}; waiting for it up to ${most}, ${this.#for.onReturn}\n`,
    )
  }

  #givenUp({ lines, cause }: Failure): Failure {
    return new Failure(EXIT.unreachable, lines, { hint: this.#for.afterLoss, cause })
  }
}
