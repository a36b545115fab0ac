import { COMPUTE_MACHINE, isStoreError, type OutboxRow } from '@saltcod/store-core'
import type { Report, ReportAnswer } from '../link/link.ts'
import { isStoreGone } from '../store-gone.ts'
import { retry } from '../waiting/retry.ts'
import type { ComputeContext } from './context.ts'
import type { Executor } from './executor.ts'
import { foldReports } from './fold-reports.ts'
import { linkRetry } from './link-retry.ts'
import { isRefused } from './refused-reports.ts'
import { reportIn } from './report-row.ts'

const BATCH = 100
const IDLE_LOOK_MS = 30_000
/**
 * So many answers are noted together as come meanwhile; until then their reports would be sent again after a crash.
 */
const ACKNOWLEDGE_AFTER_MS = 100

/** While the requester is away, reports are folded of what has waited for longer than this, and no more often. */
const FOLD_AFTER_MS = 60_000

/** Answers that the store does not know of yet. */
interface Unnoted {
  readonly sinceMs: number
  /** Revisions of the executions whose end the requester has taken. */
  readonly ends: Map<string, number>
}

/** A row that carries a report. */
interface SoundRow {
  readonly row: OutboxRow
  readonly report: Report
}

/** Hands the reports that were written with each change to the requester, in order, until it has answered each. */
export class OutboxSender {
  readonly #context: ComputeContext
  readonly #executor: Executor
  #sending: Promise<boolean> | undefined
  /** What was sent and answered so far. */
  #upToSequence = 0
  #unnoted: Unnoted | undefined
  #foldedMs = performance.now()

  constructor(context: ComputeContext, executor: Executor) {
    this.#context = context
    this.#executor = executor
  }

  /** Sends what there is and what comes, until the signal aborts. Rejects where the store has failed. */
  async run(signal: AbortSignal): Promise<void> {
    const { reportWritten, log } = this.#context
    while (!signal.aborted) {
      const seen = reportWritten.count
      try {
        const again = linkRetry({ log }, signal, 'reports could not be handed over; trying again')
        const sent = await retry(async () => {
          try {
            return await this.#step()
          } catch (error) {
            if (!isStoreGone(error)) await this.#fold()
            throw error
          }
        }, again)
        if (!sent) await reportWritten.wait(seen, { maxMs: Math.min(this.#noteInMs(), IDLE_LOOK_MS), signal })
      } catch (error) {
        if (!signal.aborted || isStoreGone(error)) throw error
      }
    }
  }

  /** Sends all that is there now. Rejects where the requester does not take it. */
  async flush(): Promise<void> {
    while (await this.#sendOnce()) {
      // Until there is nothing left.
    }
    await this.#note()
  }

  async #step(): Promise<boolean> {
    const sent = await this.#sendOnce()
    if (this.#noteInMs() <= 0) await this.#note()
    return sent
  }

  /** A cut that lasts must not fill the store. */
  async #fold(): Promise<void> {
    const { store, requester, clock, log } = this.#context
    if (requester.id === '' || performance.now() - this.#foldedMs < FOLD_AFTER_MS) return
    this.#foldedMs = performance.now()
    const folded = await foldReports(store, {
      destination: requester.id,
      olderThanMs: clock() - FOLD_AFTER_MS,
    })
    if (folded > 0) log.info({ folded }, 'reports that wait for the requester were folded')
  }

  /** Returns in how many milliseconds answers are to be noted; infinity where there are none. */
  #noteInMs(): number {
    if (this.#unnoted === undefined) return Number.POSITIVE_INFINITY
    return this.#unnoted.sinceMs + ACKNOWLEDGE_AFTER_MS - performance.now()
  }

  async #sendOnce(): Promise<boolean> {
    while (this.#sending !== undefined) await this.#sending.catch(() => undefined)
    this.#sending = this.#send()
    try {
      return await this.#sending
    } finally {
      this.#sending = undefined
    }
  }

  async #send(): Promise<boolean> {
    const { store, requester } = this.#context
    const rows = await store.readOutbox({
      destination: requester.id,
      afterSequence: this.#upToSequence,
      limit: BATCH,
    })
    const last = rows.at(-1)
    if (last === undefined) return false
    const sound = await this.#soundOf(rows)
    try {
      await this.#hand(sound)
    } catch (error) {
      if (!isRefused(error)) throw error
      // One of them, which must not keep the others.
      for (const one of sound) await this.#handAlone(one)
    }
    this.#unnoted ??= { sinceMs: performance.now(), ends: new Map() }
    this.#upToSequence = last.sequence
    return true
  }

  async #handAlone(one: SoundRow): Promise<void> {
    const { refused, requester, log } = this.#context
    try {
      await this.#hand([one])
    } catch (error) {
      if (!isRefused(error)) throw error
      const { executionId, state } = one.report
      log.error({ err: error, executionId, state }, 'the requester refuses a report; it is set aside')
      await refused.setAside(one.row, error, requester.opening)
    }
  }

  async #hand(sound: readonly SoundRow[]): Promise<void> {
    const { link, nodeId } = this.#context
    const reports = sound.map(({ report }) => report)
    const answers = await link.report({ nodeId, reports })
    this.#unnoted ??= { sinceMs: performance.now(), ends: new Map() }
    for (const [index, report] of reports.entries())
      this.#answered(report, answers[index], this.#unnoted.ends)
  }

  async #soundOf(rows: readonly OutboxRow[]): Promise<SoundRow[]> {
    const { refused, requester, log } = this.#context
    const sound: SoundRow[] = []
    for (const row of rows) {
      const report = reportIn(row)
      if (report !== undefined) sound.push({ row, report })
      else {
        const { sequence, body } = row
        log.error({ sequence, body }, 'a row of the outbox is no report; it is set aside')
        await refused.setAside(row, 'it is no report', requester.opening)
      }
    }
    return sound
  }

  /** Notes in the store what the requester has answered. */
  async #note(): Promise<void> {
    const { store, requester } = this.#context
    const unnoted = this.#unnoted
    if (unnoted === undefined) return
    const upToSequence = this.#upToSequence
    this.#unnoted = undefined
    const ends = [...unnoted.ends].map(async ([executionId, revision]) => {
      try {
        await store.acknowledgeExecution({ executionId, revision })
      } catch (error) {
        if (!isStoreError(error, 'EXECUTION_NOT_FOUND')) throw error
      }
    })
    try {
      await Promise.all([...ends, store.acknowledgeOutbox({ destination: requester.id, upToSequence })])
    } catch (error) {
      this.#keepUnnoted(unnoted)
      throw error
    }
  }

  #keepUnnoted({ sinceMs, ends }: Unnoted): void {
    this.#unnoted = { sinceMs, ends: new Map([...ends, ...(this.#unnoted?.ends ?? [])]) }
  }

  #answered(report: Report, answer: ReportAnswer | undefined, ends: Map<string, number>): void {
    const { executionId, revision, state } = report
    if (answer === 'unknown') {
      // Not waited for: should the node die first, the next handshake says it again.
      void this.#executor.disown(executionId).catch((error: unknown) => {
        this.#context.log.error({ err: error, executionId }, 'an execution could not be ended')
      })
    } else if (answer !== undefined && state !== undefined && COMPUTE_MACHINE.terminal.has(state)) {
      ends.set(executionId, revision)
    }
  }
}
