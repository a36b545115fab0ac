import { COMPUTE_MACHINE, isStoreError, type OutboxRow } from '@saltcod/store-core'
import type { Report, ReportAnswer } from '../link/link.ts'
import { isStoreGone } from '../store-gone.ts'
import { retry } from '../waiting/retry.ts'
import type { ComputeContext } from './context.ts'
import type { Executor } from './executor.ts'

const BATCH = 100
const IDLE_LOOK_MS = 30_000

/** Hands the reports that were written with each change to the requester, in order, until it has answered each. */
export class OutboxSender {
  readonly #context: ComputeContext
  readonly #executor: Executor
  #sending: Promise<boolean> | undefined

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
        const sent = await retry(() => this.#sendOnce(), {
          signal,
          isFinal: isStoreGone,
          onFailure: (error) => log.warn({ err: error }, 'reports could not be handed over; trying again'),
        })
        if (!sent) await reportWritten.wait(seen, { maxMs: IDLE_LOOK_MS, signal })
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
    const { store, link, nodeId, requesterId } = this.#context
    const rows = await store.readOutbox({ destination: requesterId, limit: BATCH })
    const last = rows.at(-1)
    if (last === undefined) return false
    const reports = rows.flatMap((row) => this.#reportOf(row) ?? [])
    const answers = await link.report({ nodeId, reports })
    await Promise.all(reports.map((report, index) => this.#answered(report, answers[index])))
    await store.acknowledgeOutbox({ destination: requesterId, upToSequence: last.sequence })
    return true
  }

  #reportOf({ sequence, body }: OutboxRow): Report | undefined {
    const report = body as unknown as Partial<Report> | null
    if (typeof report?.executionId === 'string' && typeof report.revision === 'number')
      return report as Report
    this.#context.log.error({ sequence, body }, 'a row of the outbox is no report; it is dropped')
    return undefined
  }

  async #answered(report: Report, answer: ReportAnswer | undefined): Promise<void> {
    const { executionId, revision, state } = report
    if (answer === 'unknown') {
      // Not waited for: should the node die first, the next handshake says it again.
      void this.#executor.forget(executionId).catch((error: unknown) => {
        this.#context.log.error({ err: error, executionId }, 'an execution could not be forgotten')
      })
    } else if (answer !== undefined && state !== undefined && COMPUTE_MACHINE.terminal.has(state)) {
      await this.#context.store.acknowledgeExecution({ executionId, revision }).catch((error: unknown) => {
        if (!isStoreError(error, 'EXECUTION_NOT_FOUND')) throw error
      })
    }
  }
}
