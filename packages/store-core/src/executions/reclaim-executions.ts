import type { ReclaimReport } from '../model/store-info.ts'
import type { Mutation } from '../rows/mutation.ts'
import { reclaimStep, removePlainRows } from '../rows/reclaim.ts'

/** Removes rows of deleted executions, at most 500 keys. */
export function reclaimExecutions(mutation: Mutation): ReclaimReport {
  return reclaimStep(mutation, ({ key }, limit) => {
    let left = limit
    left -= removePlainRows(mutation.rows, 'history', key, left)
    left -= removePlainRows(mutation.rows, 'specs', key, left)
    return { removed: limit - left, done: left > 0 }
  })
}
