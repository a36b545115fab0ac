import type { DurableStore } from '@saltcod/store-core'
import { checkFields, type Fields } from '@saltcod/store-core/backend'
import { PACE_FIELDS, Pace, type PaceOptions } from '../retention/pace.ts'

/** How long a finished record is left as it is unless asked for otherwise, in milliseconds: an hour. */
export const DEFAULT_FOLD_AFTER_MS: number = 3_600_000

/** Options of {@link foldFinished}. */
export interface FoldOptions extends PaceOptions {
  /** Leaves alone what ended less long ago, in milliseconds. Default: {@link DEFAULT_FOLD_AFTER_MS}. */
  readonly olderThanMs?: number
  /** Records folded in one go, 1 to 500. Default 50. */
  readonly batchRecords?: number
  /** Looks at everything that has ended again, not only at what has ended since the last time. Default false. */
  readonly anew?: boolean
  /** Called after each batch with the sums so far. */
  readonly onProgress?: (report: FoldSums) => void
}

const OPTION_FIELDS: Fields<FoldOptions> = {
  ...PACE_FIELDS,
  olderThanMs: true,
  batchRecords: true,
  anew: true,
  onProgress: true,
}

/** What {@link foldFinished} did. */
export interface FoldSums {
  /** Finished records that were looked at. */
  readonly examined: number
  /** Records that became one row. */
  readonly folded: number
  /** Bytes of their rows before and after. */
  readonly bytesBefore: number
  readonly bytesAfter: number
  /** False where it was aborted before the end. */
  readonly complete: boolean
}

/**
 * Makes one compressed record of each finished job, or execution, that nobody is likely to change any more, oldest
 * first. No reader sees a difference. Goes on where the last call ended, and lets others have their turn between
 * batches. Resolves also when it was aborted (see `complete`); rejects with a `TypeError` for a bad rate, with
 * `INVALID_ARGUMENT`, and where the store is closed, full, open for reading, or has failed.
 */
export async function foldFinished(
  store: Pick<DurableStore, 'fold'>,
  options: FoldOptions = {},
): Promise<FoldSums> {
  checkFields('foldFinished', options, OPTION_FIELDS)
  const { olderThanMs = DEFAULT_FOLD_AFTER_MS, batchRecords: limit = 50, onProgress } = options
  const pace = new Pace(options)
  let sums: FoldSums = { examined: 0, folded: 0, bytesBefore: 0, bytesAfter: 0, complete: true }
  for (let anew = options.anew ?? false; ; anew = false) {
    if (pace.aborted) return { ...sums, complete: false }
    const step = await store.fold({ olderThanMs, limit, anew })
    sums = {
      examined: sums.examined + step.examined,
      folded: sums.folded + step.folded,
      bytesBefore: sums.bytesBefore + step.bytesBefore,
      bytesAfter: sums.bytesAfter + step.bytesAfter,
      complete: true,
    }
    if (step.folded > 0) onProgress?.(sums)
    if (!step.more) return sums
    await pace.rest(step.folded)
  }
}
