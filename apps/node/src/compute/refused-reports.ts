import type { ExecutionStore, Json, OutboxRow } from '@saltcod/store-core'
import type { Report } from '../link/link.ts'
import { isLinkError } from '../link/link-error.ts'
import { bodyOf, reportIn } from './report-row.ts'

/** Where reports lie that the requester refuses. */
const ASIDE = '@refused'
const MOST_KEPT = 1_000
const PAGE = 1_000
const MOST_WORDS = 500

/** A report that the requester refused, as it is kept. */
interface Refused {
  /** What the row carried. */
  readonly report: Json
  readonly reason: string
  /** The opening of the requester's store that refused it; another release of it may think otherwise. */
  readonly opening: string
}

/** A report that was set aside, for people. */
export interface ShownRefusal {
  readonly executionId: string
  readonly state: string | null
  readonly reason: string
  readonly atMs: number
}

/** Tells whether the requester would refuse the same message again, whenever it comes. */
export function isRefused(error: unknown): boolean {
  if (isLinkError(error, 'LINK_INVALID', 'LINK_LIMIT')) return true
  if (!(error instanceof Error)) return false
  return error.name === 'TypeError' || ('code' in error && error.code === 'INVALID_ARGUMENT')
}

/**
 * The reports that the requester refuses: set aside with the reason, so that those behind them go on. In the place of
 * one that says more than a state that alone is told; what was set aside is told again once the requester's store was
 * opened anew, since that may be another release.
 */
export class RefusedReports {
  readonly #store: ExecutionStore
  #count = 0

  constructor(store: ExecutionStore) {
    this.#store = store
  }

  /** How many were refused since this process began. */
  get count(): number {
    return this.#count
  }

  /** Takes a row out of the way of those behind it. */
  async setAside(row: OutboxRow, error: unknown, opening: string): Promise<void> {
    const { destination, sequence, body } = row
    const reason = (error instanceof Error ? error.message : String(error)).slice(0, MOST_WORDS)
    const refused: Refused = { report: body, reason, opening }
    const bare = bareOf(reportIn(row), reason)
    this.#count += 1
    await this.#store.replaceOutbox({
      destination,
      sequences: [sequence],
      outbox: [
        { destination: ASIDE, body: refused as unknown as Json },
        ...(bare === undefined ? [] : [{ destination, body: bodyOf(bare) }]),
      ],
    })
    await this.#trim()
  }

  /** Has those told again that another opening of the requester's store refused. */
  async putBack(destination: string, opening: string): Promise<void> {
    for (const row of await this.#rows()) {
      const { report, opening: refusedBy } = row.body as unknown as Refused
      if (refusedBy === opening) continue
      const outbox = [{ destination, body: report }]
      await this.#store.replaceOutbox({ destination: ASIDE, sequences: [row.sequence], outbox })
    }
  }

  /** Forgets what was said of an execution. */
  async drop(executionId: string): Promise<void> {
    for (const { sequence, body } of await this.#rows()) {
      const { report } = body as unknown as Refused
      if ((report as Partial<Report> | null)?.executionId !== executionId) continue
      await this.#store.replaceOutbox({ destination: ASIDE, sequences: [sequence] })
    }
  }

  /** Lists what lies aside, the oldest first. */
  async list(): Promise<ShownRefusal[]> {
    return (await this.#rows()).map(({ atMs, body }) => {
      const { report, reason } = body as unknown as Refused
      const { executionId = '', state = null } = (report ?? {}) as Partial<Report>
      return { executionId, state, reason, atMs }
    })
  }

  async #rows(): Promise<OutboxRow[]> {
    return await this.#store.readOutbox({ destination: ASIDE, limit: PAGE })
  }

  async #trim(): Promise<void> {
    const rows = await this.#rows()
    const upToSequence = rows[rows.length - MOST_KEPT]?.sequence
    if (rows.length >= MOST_KEPT && upToSequence !== undefined)
      await this.#store.acknowledgeOutbox({ destination: ASIDE, upToSequence })
  }
}

/** The state of a report without what else it says; nothing where it says no more. */
function bareOf(report: Report | undefined, reason: string): Report | undefined {
  if (report?.state === undefined || (report.event === undefined && report.patch === undefined))
    return undefined
  const { executionId, revision, state, endReason } = report
  return {
    executionId,
    revision,
    state,
    ...(endReason === undefined ? {} : { endReason }),
    message: `${state}; the requester refused what its node said of it: ${reason}`.slice(0, MOST_WORDS),
  }
}
