import { END_REASONS, type EndReason } from '@saltcod/store-core'

/** Counts the executions that ended while this process ran, by why they did. */
export class EndCounts {
  readonly #counts = new Map<EndReason, number>(END_REASONS.map((reason) => [reason, 0]))

  /** Counts an end that is written; one without a reason is not counted. */
  add(reason: EndReason | null | undefined): void {
    if (reason != null) this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1)
  }

  /** Every reason, also those that nothing ended for. */
  entries(): Iterable<readonly [EndReason, number]> {
    return this.#counts
  }
}
