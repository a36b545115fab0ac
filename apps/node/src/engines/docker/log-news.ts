import type { Readable } from 'node:stream'
import { pause } from '../../waiting/pause.ts'
import type { LogCopy } from './log-copy.ts'
import type { SocketApi } from './socket-api.ts'

const LEAST_PAUSE_MS = 1_000
/** Reading, for which a server may go through the whole log, may take this share of the time. */
const SHARE = 20

/**
 * Copies the log of a container whenever there is something new in it, until the server breaks off, the container has
 * ended, nothing more is kept, or the signal aborts. What the server tells while it follows is only taken as news.
 */
export async function copyNews(
  api: SocketApi,
  container: string,
  log: LogCopy,
  signal: AbortSignal,
): Promise<void> {
  // The last entry is asked for, since a server may not begin its answer before it has one.
  const query = { follow: '1', stdout: '1', stderr: '1', tail: '1' }
  const path = `/containers/${container}/logs`
  const news = new News(await api.open({ path, query, signal, waits: true, pauses: true }))
  try {
    do {
      const beganMs = performance.now()
      await log.copy(api, container, signal)
      if (log.isFull) return
      await pause(Math.max(SHARE * (performance.now() - beganMs), LEAST_PAUSE_MS), signal)
    } while (await news.next())
  } finally {
    news.end()
  }
}

/** Hears that something comes, and does not care what. */
class News {
  readonly #answer: Readable
  #isThere = false
  #isOver = false
  #wake: () => void = () => undefined

  constructor(answer: Readable) {
    this.#answer = answer
    answer.on('data', () => {
      this.#isThere = true
      this.#wake()
    })
    answer.on('error', () => undefined)
    answer.on('close', () => {
      this.#isOver = true
      this.#wake()
    })
  }

  /** Resolves when something has come since the last time; with false where nothing will any more. */
  async next(): Promise<boolean> {
    while (!this.#isThere && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const isThere = this.#isThere
    this.#isThere = false
    return isThere
  }

  end(): void {
    this.#answer.destroy()
  }
}
