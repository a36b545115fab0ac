import type { ExecutionChange } from './change.ts'

/**
 * Why a run is stopped: a change that ends the execution, or the end of the node, which leaves the record as it is.
 */
export type StopReason = ExecutionChange | 'interrupted'

/** A run that is being carried out, from the staging of its inputs to its last commit. */
export class ActiveRun {
  readonly #controller = new AbortController()
  readonly #ended: Promise<void>
  #resolve: () => void = () => undefined
  #why: StopReason | undefined

  constructor() {
    this.#ended = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  /** Aborts when the run is to stop. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Why it is to stop; undefined while it is not. */
  get why(): StopReason | undefined {
    return this.#why
  }

  /** Tells whether it stops only because the node ends. */
  get isLeft(): boolean {
    return this.#why === 'interrupted'
  }

  /** Resolves when nothing of the run is left. */
  get ended(): Promise<void> {
    return this.#ended
  }

  /** Asks the run to stop. The first reason counts, except that an end outweighs an interruption. */
  stop(why: StopReason): void {
    if (this.#why === undefined || this.#why === 'interrupted') this.#why = why
    this.#controller.abort()
  }

  /** Says that nothing of the run is left. */
  end(): void {
    this.#resolve()
  }
}
