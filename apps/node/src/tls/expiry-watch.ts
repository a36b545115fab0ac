import type { Logger } from 'pino'
import type { ServerTls } from './server-tls.ts'

const DAY_MS = 86_400_000
const LOOK_MS = 3_600_000

/** Says once a day of certificates that end soon, or have ended. */
export class ExpiryWatch {
  readonly #tls: ServerTls
  readonly #clock: () => number
  readonly #log: Logger
  readonly #saidAtMs = new Map<string, number>()
  readonly #timer: NodeJS.Timeout

  constructor(tls: ServerTls, clock: () => number, log: Logger) {
    this.#tls = tls
    this.#clock = clock
    this.#log = log
    this.#timer = setInterval(() => this.look(), LOOK_MS)
    this.#timer.unref()
    this.look()
  }

  /** Looks at once. */
  look(): void {
    const nowMs = this.#clock()
    for (const { what, untilMs, warnBeforeMs } of this.#tls.ends) {
      const saidAtMs = this.#saidAtMs.get(what) ?? Number.NEGATIVE_INFINITY
      if (untilMs - nowMs >= warnBeforeMs || Math.abs(nowMs - saidAtMs) < DAY_MS) continue
      this.#saidAtMs.set(what, nowMs)
      const until = new Date(untilMs).toISOString()
      const daysLeft = Math.floor((untilMs - nowMs) / DAY_MS)
      if (untilMs <= nowMs) this.#log.error({ what, until }, 'a certificate has ended, and clients refuse it')
      else this.#log.warn({ what, until, daysLeft }, 'a certificate ends soon: put another one in its place')
    }
  }

  /** Looks no more. */
  close(): void {
    clearInterval(this.#timer)
  }
}
