import type { ChildProcess } from 'node:child_process'

/** How long a helper process may be silent. Counted in looks, so that a time in which this process did not run itself counts little. */
export interface Patience {
  readonly askMs: number
  /** So many questions in a row may be left without an answer. */
  readonly unanswered: number
}

/** A minute; a helper answers at once unless it hangs. */
export const PATIENCE: Patience = { askMs: 5_000, unanswered: 12 }

/** Thrown where a helper did not answer before it had begun; nothing of the job has run then. */
export class HelperLost extends Error {
  override readonly name: string = 'HelperLost'
}

/** Tells whether a thrown value is a {@link HelperLost}. */
export function isHelperLost(error: unknown): error is HelperLost {
  return error instanceof Error && error.name === 'HelperLost'
}

/** Asks a helper process again and again whether it is there, and kills it where it does not answer. */
export class AnswerWatch {
  /** Resolves when the helper is gone, or when it was killed in vain; never rejects. */
  readonly ended: Promise<void>
  readonly #child: ChildProcess
  readonly #patience: Patience
  #unanswered = 0
  #timer: NodeJS.Timeout | undefined

  constructor(child: ChildProcess, ask: () => void, patience: Patience) {
    this.#child = child
    this.#patience = patience
    child.stdout?.on('data', () => {
      if (!this.lost) this.#unanswered = 0
    })
    this.ended = new Promise<void>((resolve) => {
      const end = (): void => {
        clearInterval(this.#timer)
        resolve()
      }
      child.once('close', end)
      child.once('error', end)
      this.#timer = setInterval(() => this.#look(ask, end), patience.askMs)
      this.#timer.unref()
    })
  }

  /** Tells whether it did not answer, and was killed for that. */
  get lost(): boolean {
    return this.#unanswered > this.#patience.unanswered
  }

  /** Says for how long it did not answer. */
  get silence(): string {
    const { askMs, unanswered } = this.#patience
    return `its keeper did not answer for ${(askMs * unanswered) / 1000} s`
  }

  #look(ask: () => void, giveUp: () => void): void {
    this.#unanswered += 1
    if (!this.lost) {
      ask()
      return
    }
    this.#child.kill('SIGKILL')
    // What the system itself cannot end must not be waited for.
    if (this.#unanswered > 2 * this.#patience.unanswered) giveUp()
  }
}
