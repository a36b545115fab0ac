import { setTimeout as delay } from 'node:timers/promises'
import { printable, shortId } from '@saltcod/display'
import { EXIT } from '../exit-code.ts'
import { Failure, isFailure } from '../failure.ts'
import type { Terminal } from './terminal.ts'

/** So long a command that waits for a job waits for its node to come back. */
const MOST_MS = 60_000
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 1_000

/**
 * What a command that waits for a job does while its node cannot be reached: a job goes on when its node is started anew, and so does
 * whoever waits for it. Ends with a `Failure` that says that the job goes on, and how to look at it.
 */
export class NodeWait {
  readonly #terminal: Terminal
  readonly #jobId: string
  readonly #signal: AbortSignal

  constructor(terminal: Terminal, jobId: string, signal: AbortSignal) {
    this.#terminal = terminal
    this.#jobId = jobId
    this.#signal = signal
  }

  get signal(): AbortSignal {
    return this.#signal
  }

  /** Asks a node something that may be asked again, until it answers. */
  async call<T>(ask: () => Promise<T>): Promise<T> {
    let lostAtMs: number | undefined
    let pauseMs = FIRST_PAUSE_MS
    for (;;) {
      this.refuseInterrupted()
      try {
        const answer = await ask()
        if (lostAtMs !== undefined) this.#terminal.err('The node is back.\n')
        return answer
      } catch (error) {
        if (!isFailure(error) || error.exitCode !== EXIT.unreachable) throw error
        if (lostAtMs === undefined) this.#tell(error)
        lostAtMs ??= performance.now()
        if (performance.now() - lostAtMs > MOST_MS) throw this.#givenUp(error)
      }
      await this.pause(pauseMs)
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
    }
  }

  /** Waits a moment. Throws a `Failure` at Ctrl-C. */
  async pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#signal }).catch(() => undefined)
    this.refuseInterrupted()
  }

  /** Throws a `Failure` after Ctrl-C. */
  refuseInterrupted(): void {
    if (!this.#signal.aborted) return
    throw new Failure(EXIT.interrupted, `no longer waiting: job ${this.#jobId} goes on`, {
      hint: `${this.#lookHint()}; stop it with: saltcod job stop ${shortId(this.#jobId, false)}`,
    })
  }

  #tell(error: Failure): void {
    this.#terminal.err(
      `Warning: ${printable(error.message)}; the job goes on with its node, which is waited for up to ${MOST_MS / 1000} seconds\n`,
    )
  }

  #givenUp({ lines, cause }: Failure): Failure {
    return new Failure(EXIT.unreachable, lines, {
      hint: `the job goes on when its node is started again; ${this.#lookHint()}`,
      cause,
    })
  }

  #lookHint(): string {
    return `look at it with: saltcod job describe ${shortId(this.#jobId, false)}`
  }
}
