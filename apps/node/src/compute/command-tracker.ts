import { EventCount } from '../waiting/event-count.ts'
import { pause } from '../waiting/pause.ts'

/** Up to which command all is done. */
export interface CommandMark {
  readonly upToSequence: number
  readonly round: number
}

/**
 * Keeps the order of commands of one execution, and knows up to which sequence number all of them are done, so
 * that one slow command (a cancel that waits for its process) delays the acknowledgement and nothing else.
 */
export class CommandTracker {
  readonly #maxPending: number
  #pending = new Set<number>()
  readonly #lastOfExecution = new Map<string, Promise<void>>()
  readonly #progress = new EventCount()
  #newest = 0
  #told = 0
  #round = 0
  #error: { readonly thrown: unknown } | undefined

  constructor(maxPending: number) {
    this.#maxPending = maxPending
  }

  /** Whether a command could not be done; then nothing is acknowledged any more. */
  get broken(): boolean {
    return this.#error !== undefined
  }

  /** Throws what the first command threw that could not be done. */
  throwIfBroken(): void {
    if (this.#error !== undefined) throw this.#error.thrown
  }

  /** Notes that no more commands come, as where one could not be done. */
  breakOff(error: unknown): void {
    this.#error ??= { thrown: error }
    this.#progress.advance()
  }

  /** Begins to count anew: what was taken before is finished, and marked no more. */
  renew(round: number): void {
    this.#round = round
    this.#pending = new Set()
    this.#newest = 0
    this.#told = 0
    this.#progress.advance()
  }

  /** Starts on a command, behind the earlier ones of its execution; behind all earlier ones where it is of several. */
  begin(sequence: number, executionId: string | null, effect: () => Promise<void>): void {
    const subject = executionId ?? `all before ${sequence}`
    const pending = this.#pending
    this.#newest = Math.max(this.#newest, sequence)
    pending.add(sequence)
    const before: Promise<unknown> =
      executionId === null
        ? Promise.all(this.#lastOfExecution.values())
        : (this.#lastOfExecution.get(executionId) ?? Promise.resolve())
    const done = before.then(async () => {
      try {
        if (!this.broken) await effect()
        if (!this.broken) pending.delete(sequence)
      } catch (error) {
        this.#error ??= { thrown: error }
      }
      if (this.#lastOfExecution.get(subject) === done) this.#lastOfExecution.delete(subject)
      this.#progress.advance()
    })
    this.#lastOfExecution.set(subject, done)
  }

  /** Resolves when another command may begin. */
  async capacity(): Promise<void> {
    while (this.#pending.size >= this.#maxPending && !this.broken) await this.#change()
  }

  /** Resolves when nothing is being done. */
  async idle(): Promise<void> {
    while (this.#lastOfExecution.size > 0) await this.#change()
    this.#progress.advance()
  }

  /**
   * Yields rising sequence numbers up to which everything is done, with the round that they belong to, each `laterMs`
   * after there was news, until the signal aborts and all is told.
   */
  async *marks(signal: AbortSignal, laterMs: number): AsyncGenerator<CommandMark, void, undefined> {
    for (;;) {
      const seen = this.#progress.count
      const last = signal.aborted && this.#lastOfExecution.size === 0
      if (this.#mark() > this.#told) {
        await pause(laterMs, signal)
        const upToSequence = this.#mark()
        // Counted anew meanwhile.
        if (upToSequence <= this.#told) continue
        this.#told = upToSequence
        yield { upToSequence, round: this.#round }
      } else if (last || this.broken) {
        return
      } else {
        await this.#progress.wait(seen, signal.aborted ? {} : { signal })
      }
    }
  }

  #mark(): number {
    return this.#pending.size === 0 ? this.#newest : Math.min(...this.#pending) - 1
  }

  async #change(): Promise<void> {
    await this.#progress.wait(this.#progress.count)
  }
}
