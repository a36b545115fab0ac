import type { ChildProcess } from 'node:child_process'
import { type Patience, Silence } from './silence.ts'

/** Asks a helper process again and again whether it is there, and kills it where it does not answer. */
export class AnswerWatch {
  /** Resolves when the helper is gone, or when it was killed in vain; never rejects. */
  readonly ended: Promise<void>
  readonly #child: ChildProcess
  readonly #patience: Patience
  readonly #silence: Silence
  #timer: NodeJS.Timeout | undefined
  #lost = false

  constructor(child: ChildProcess, ask: () => void, patience: Patience) {
    this.#child = child
    this.#patience = patience
    this.#silence = new Silence(child.pid ?? 0, patience)
    child.stdout?.on('data', () => this.#silence.broken())
    this.ended = new Promise<void>((resolve) => {
      const end = (): void => {
        clearInterval(this.#timer)
        resolve()
      }
      child.once('close', end)
      child.once('error', end)
      this.#timer = setInterval(() => this.#look(ask, end), patience.lookMs)
      this.#timer.unref()
    })
  }

  /** Tells whether it did not answer, and was killed for that. */
  get lost(): boolean {
    return this.#lost
  }

  /** Says for how long it did not answer. */
  get silence(): string {
    return `its keeper did not answer for ${this.#patience.silenceMs / 1000} s`
  }

  #look(ask: () => void, giveUp: () => void): void {
    if (this.#lost) return
    if (this.#silence.look() < this.#patience.silenceMs) {
      ask()
      return
    }
    this.#lost = true
    this.#child.kill('SIGKILL')
    // What the system itself cannot end must not be waited for.
    setTimeout(giveUp, this.#patience.silenceMs).unref()
  }
}
