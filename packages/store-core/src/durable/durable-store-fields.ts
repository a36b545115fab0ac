import type { DurableStore } from '../contract/durable-store.ts'
import type { Fields } from '../kv/fields.ts'
import type { CheckOptions } from '../model/check-report.ts'
import { CHANGE_FIELDS, type RequestFields } from './request-fields.ts'

/** The fields of the options of an integrity check. */
export const CHECK_FIELDS: Fields<CheckOptions> = {
  signal: true,
  maxFindings: true,
  batchRows: true,
  onProgress: true,
}

/** The fields of what `watch` takes; it returns no promise, so it looks at them by itself. */
export const WATCH_FIELDS: RequestFields<DurableStore>['watch'] = {
  after: true,
  signal: true,
  pollMs: true,
  cursorsOnly: true,
}

/** The fields of the requests that both stores have. */
export const DURABLE_STORE_FIELDS: RequestFields<Omit<DurableStore, 'watch' | 'check'>> = {
  counts: { kind: true, namespace: true },
  dueDeadlines: { limit: true },
  changes: { after: true, limit: true, reverse: true },
  trimFeed: { olderThanMs: true, maxBytes: true, requestIdsOlderThanMs: true, limit: true },
  fold: { olderThanMs: true, limit: true, anew: true },
  readOutbox: { destination: true, afterSequence: true, limit: true },
  acknowledgeOutbox: { destination: true, upToSequence: true },
  replaceOutbox: { ...CHANGE_FIELDS, destination: true, sequences: true },
  setPeer: { name: true, storeId: true, incarnation: true, firstSequence: true, sequence: true },
}
