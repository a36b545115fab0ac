/** Ctrl-C while a command waits for something that goes on without it. */
export class Interrupt {
  readonly #controller = new AbortController()
  readonly #listener = (): void => this.#controller.abort()

  constructor() {
    process.on('SIGINT', this.#listener)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  close(): void {
    process.off('SIGINT', this.#listener)
  }
}
