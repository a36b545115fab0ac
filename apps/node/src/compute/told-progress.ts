import type { ComputeExecution } from '@saltcod/store-core'
import { changeExecution } from './change.ts'
import type { ComputeContext } from './context.ts'

/** The history is for people: it is told no more often than this. */
const TELL_EVERY_MS = 5_000
/** What takes no longer is not worth a word. */
const TELL_AFTER_MS = 300

/** Writes into the history of an execution how far the making ready of its run is. */
export class ToldProgress {
  readonly #context: ComputeContext
  readonly #beganMs = performance.now()
  #record: ComputeExecution
  #toldMs = Number.NEGATIVE_INFINITY
  #told = ''
  #writing: Promise<void> = Promise.resolve()
  #isWriting = false

  constructor(context: ComputeContext, execution: ComputeExecution) {
    this.#context = context
    this.#record = execution
  }

  /** Takes note of how far it is; what was said last is not said again. */
  tell(text: string): void {
    if (text === this.#told) return
    const nowMs = performance.now()
    if (this.#isWriting || nowMs - this.#toldMs < TELL_EVERY_MS || nowMs - this.#beganMs < TELL_AFTER_MS)
      return
    this.#toldMs = nowMs
    this.#told = text
    this.#isWriting = true
    this.#writing = this.#write(text).finally(() => {
      this.#isWriting = false
    })
  }

  /** Returns the record as it is when nothing more is written. */
  async last(): Promise<ComputeExecution> {
    await this.#writing
    return this.#record
  }

  async #write(text: string): Promise<void> {
    try {
      const { state: before } = this.#record
      const changed = await changeExecution(this.#context, this.#record, ({ state }) =>
        state === before ? { message: text, topic: 'Preparing Environment' } : null,
      )
      this.#record = changed ?? this.#record
    } catch (error) {
      this.#context.log.warn({ err: error, executionId: this.#record.id }, 'a step could not be written down')
    }
  }
}
