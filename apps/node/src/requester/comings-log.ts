import type { Logger } from 'pino'

const MINUTE_MS = 60_000
/** A node that is well comes once a day; one of which two fight for its id, or that breaks, some times a minute. */
const MOST_A_MINUTE = 10

interface Minute {
  readonly sinceMs: number
  lines: number
}

/** Writes down that nodes come, and of each no more than some lines a minute, so that none fills a disk by coming. */
export class ComingsLog {
  readonly #log: Logger
  readonly #passed: () => number
  /** The oldest comes first. */
  readonly #minutes = new Map<string, Minute>()

  /** `passed` tells the time that passes, in milliseconds. */
  constructor(log: Logger, passed: () => number = () => performance.now()) {
    this.#log = log
    this.#passed = passed
  }

  /** Writes a line about a node, unless there were many within a minute; the last one says that others follow. */
  tell(
    level: 'info' | 'warn' | 'error',
    details: { readonly node: string; readonly [more: string]: unknown },
    message: string,
  ): void {
    const nowMs = this.#passed()
    for (const [node, { sinceMs }] of this.#minutes) {
      if (nowMs - sinceMs < MINUTE_MS) break
      this.#minutes.delete(node)
    }
    const minute = this.#minutes.get(details.node) ?? { sinceMs: nowMs, lines: 0 }
    this.#minutes.set(details.node, minute)
    minute.lines += 1
    if (minute.lines > MOST_A_MINUTE) return
    const isLast = minute.lines === MOST_A_MINUTE
    this.#log[level](
      details,
      isLast ? `${message}; how often it comes within this minute is told no more` : message,
    )
  }
}
