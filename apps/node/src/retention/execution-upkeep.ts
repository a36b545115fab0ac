import { applyExecutionRetention, foldFinished } from '@saltcod/compaction'
import type { ExecutionStore } from '@saltcod/store-core'
import type { Logger } from 'pino'
import { isStoreGone } from '../store-gone.ts'
import { JoinedSignal } from '../waiting/joined-signal.ts'
import { pause } from '../waiting/pause.ts'

const FIRST_AFTER_MS = 10_000
const EVERY_MS = 60_000
/** The longest that folding goes on at a time. */
const FOLD_FOR_MS = 30_000

/** What upkeep works on. */
export interface ExecutionUpkeepParts {
  readonly executions: ExecutionStore
  /** How long after their end records are folded, in milliseconds; `null` for never. */
  readonly foldAfterMs: number | null
  readonly log: Logger
  /** Gets how many finished records were folded. */
  readonly onFolded: (records: number) => void
}

/**
 * Keeps the store of a compute node without a requester of its own small: its feed is trimmed, what ended is folded,
 * and what was deleted is reclaimed. What of a job is kept at all is decided where the job is.
 */
export class ExecutionUpkeep {
  readonly #parts: ExecutionUpkeepParts
  readonly #stop = new AbortController()
  #foldAfterMs: number | null
  #loop: Promise<void> = Promise.resolve()

  constructor(parts: ExecutionUpkeepParts) {
    this.#parts = parts
    this.#foldAfterMs = parts.foldAfterMs
  }

  /** Goes by another rule from the next run on. */
  follow(foldAfterMs: number | null): void {
    this.#foldAfterMs = foldAfterMs
  }

  /** Begins to run on its schedule. */
  start(): void {
    this.#loop = this.#runOnSchedule()
  }

  /** Ends what is going on, and resolves when the store is used no more. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#loop
  }

  /** Runs once. Rejects where the store is full, was closed or has failed. */
  async run(): Promise<void> {
    const { executions, onFolded } = this.#parts
    const { signal } = this.#stop
    await applyExecutionRetention(executions, [], { signal, clockConfirmed: true })
    if (this.#foldAfterMs === null) return
    const until = new JoinedSignal(signal, AbortSignal.timeout(FOLD_FOR_MS))
    try {
      const { folded } = await foldFinished(executions, {
        olderThanMs: this.#foldAfterMs,
        signal: until.signal,
      })
      if (folded > 0) onFolded(folded)
    } finally {
      until.release()
    }
  }

  async #runOnSchedule(): Promise<void> {
    const { signal } = this.#stop
    for (let waitMs = FIRST_AFTER_MS; ; waitMs = EVERY_MS) {
      await pause(waitMs, signal, { ref: false })
      if (signal.aborted) return
      try {
        await this.run()
      } catch (error) {
        if (isStoreGone(error)) return
        this.#parts.log.error({ err: error }, 'upkeep of the execution store was interrupted, will go on')
      }
    }
  }
}
