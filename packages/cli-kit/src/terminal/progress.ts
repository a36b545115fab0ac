import type { Terminal } from './terminal.ts'

const BAR = 30
const MIN_STEP_MS = 100

/** A progress bar on standard error, drawn only where a person looks on. */
export class Progress {
  readonly #terminal: Terminal
  readonly #nowMs: () => number
  #lastMs = Number.NEGATIVE_INFINITY
  #drawn = false

  /** Takes a clock, which may begin anywhere. */
  constructor(terminal: Terminal, nowMs: () => number) {
    this.#terminal = terminal
    this.#nowMs = nowMs
  }

  /** Draws how much is done, at most ten times a second. The total is `null` where nobody knows it. */
  show(what: string, done: number, total: number | null): void {
    const { errorIsTerminal, env } = this.#terminal
    const nowMs = this.#nowMs()
    if (!errorIsTerminal || env['TERM'] === 'dumb' || nowMs - this.#lastMs < MIN_STEP_MS) return
    this.#lastMs = nowMs
    this.#drawn = true
    if (total === null) {
      this.#terminal.err(`\r\u001b[K${what} ${done}`)
      return
    }
    const share = total === 0 ? 0 : Math.min(1, done / total)
    const filled = Math.round(share * BAR)
    const bar = `${'#'.repeat(filled)}${'.'.repeat(BAR - filled)}`
    this.#terminal.err(`\r\u001b[K${what} [${bar}] ${Math.floor(share * 100)} %, ${done} of ${total}`)
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#drawn) this.#terminal.err('\r\u001b[K')
    this.#drawn = false
  }
}
