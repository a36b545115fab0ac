/** Counts copies of a file that are being written, and lets further ones wait. */
export class CopyGate {
  #running = 0
  #open: Promise<void> | undefined
  #release: () => void = () => undefined
  readonly #idleWaiters: (() => void)[] = []

  /** Whether a copy is being written, during which the file must stay open. */
  get isBusy(): boolean {
    return this.#running > 0
  }

  /** Whether further copies wait. */
  get isHeld(): boolean {
    return this.#open !== undefined
  }

  /** Writes a copy when none is held back. */
  async run(copy: () => Promise<void>): Promise<void> {
    while (this.#open !== undefined) await this.#open
    this.#running += 1
    try {
      await copy()
    } finally {
      this.#running -= 1
      if (this.#running === 0) for (const resolve of this.#idleWaiters.splice(0)) resolve()
    }
  }

  /** Lets further copies wait, and resolves when those under way have come to their end. */
  async hold(): Promise<void> {
    this.#open ??= new Promise((resolve) => {
      this.#release = resolve
    })
    if (this.#running === 0) return
    await new Promise<void>((resolve) => {
      this.#idleWaiters.push(resolve)
    })
  }

  /** Lets copies begin again. */
  release(): void {
    this.#open = undefined
    this.#release()
  }
}
