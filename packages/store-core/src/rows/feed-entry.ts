import { decodeTuple } from '../kv/tuple.ts'
import type { Change, ChangeSet, RecordKind } from '../model/feed.ts'
import type { DiskNames } from './field-names.ts'
import { orUndamaged } from './quarantine.ts'
import { RecordTable } from './record-table.ts'
import { isKeyText, isListOf, isNumber, isText, isTupleOf, orNull } from './row-shape.ts'

/** A change as the feed keeps it; an empty job id means the id itself, a `null` state a removal. */
export type PackedChange = readonly [
  kind: RecordKind,
  id: string,
  jobId: string,
  namespace: string,
  previousState: string | null,
  state: string | null,
  revision: number,
]

/** One row of the feed. */
export interface FeedEntry {
  readonly atMs: number
  readonly changes: readonly PackedChange[]
}

/** The names of {@link FeedEntry} on disk. */
export const FEED_NAMES: DiskNames<FeedEntry> = { atMs: 'at', changes: 'changes' }

/** The change feed: one row for each transaction, under its sequence number. */
export const feedTable: RecordTable<FeedEntry> = new RecordTable<FeedEntry>('feed', 1, FEED_NAMES, {
  atMs: isNumber,
  changes: isListOf(
    isTupleOf(isText, isKeyText, isKeyText, isKeyText, orNull(isText), orNull(isText), isNumber),
  ),
})

/** Brings a change into the form in which the feed keeps it. */
export function packChange(change: Change): PackedChange {
  const { kind, id, jobId, namespace, previousState, state, revision } = change
  return [kind, id, jobId === id ? '' : jobId, namespace, previousState, state, revision]
}

/** Restores what one transaction changed from its row. Throws `RECORD_CORRUPT`. */
export function toChangeSet(key: Uint8Array, value: Uint8Array): ChangeSet {
  const { atMs, changes } = feedTable.decode(key, value)
  return { sequence: Number(decodeTuple(key)[0]), atMs, changes: changes.map(unpackChange) }
}

/** Returns the sequence number of a row of the feed; `undefined` in a damaged key. */
export function sequenceIn(key: Uint8Array): number | undefined {
  const sequence = orUndamaged(() => decodeTuple(key)[0])
  return typeof sequence === 'number' ? sequence : undefined
}

function unpackChange([kind, id, jobId, namespace, previousState, state, revision]: PackedChange): Change {
  return {
    kind,
    id,
    jobId: jobId === '' ? id : jobId,
    namespace,
    operation: state === null ? 'remove' : 'put',
    previousState,
    state,
    revision,
  }
}
