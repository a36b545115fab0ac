import type { KvChangedKey, KvRow } from '@saltcod/store-core/backend'

import type { Environment } from '../native/environment.ts'
import type { TakenKeys } from './change-journal.ts'
import type { FreshChange, FreshFile } from './fresh-file.ts'
import type { WorkPace } from './work-pace.ts'

/** The most rows and bytes that are read in one snapshot. */
export const MAX_BATCH_ROWS = 1_000
const MAX_BATCH_BYTES = 2 * 1024 * 1024

/** A batch with the largest row behind it, in pages of which some are half full. */
const BATCH_ROOM_BYTES = 24 * 1024 * 1024

/** Tells how many rows were copied, between two batches; what it throws ends the copy. */
export type CopyStep = (rows: number) => void

/**
 * Copies a table from its first row to what is its last one now, in short snapshots, which leaves the copy without
 * gaps. Rows that are put behind that one meanwhile are in the journal; to copy them here would never end while
 * writers add some.
 */
export async function copyTable(
  from: Environment,
  to: FreshFile,
  table: string,
  pace: WorkPace,
  step: CopyStep,
): Promise<void> {
  from.refresh()
  const [last] = from.keys(table, { reverse: true, limit: 1 })
  if (last === undefined) return
  let after: Uint8Array | undefined
  for (;;) {
    step(0)
    await to.makeRoom(BATCH_ROOM_BYTES)
    const rows: KvRow[] = await pace.run(() => {
      const limit = pace.units
      from.refresh()
      const low = after === undefined ? {} : { gt: after }
      const read = from.range(table, { ...low, lte: last, limit }, MAX_BATCH_BYTES)
      if (read.length > 0) to.append(table, read)
      return read
    })
    if (rows.length === 0) return
    after = rows.at(-1)?.key
    step(rows.length)
  }
}

/** Brings keys in a copy up to date: what is there is put again, what is not is removed. */
export async function copyKeys(
  from: Environment,
  to: FreshFile,
  keys: TakenKeys,
  pace: WorkPace,
  step: CopyStep,
): Promise<void> {
  for (let batch = keys.next(pace.units); batch.length > 0; batch = keys.next(pace.units)) {
    for (let done = 0; done < batch.length; ) {
      step(0)
      // What changes after it was read is in the journal again.
      const changes = readKeys(from, batch.slice(done))
      await to.makeRoomFor(changes)
      await pace.run(() => {
        to.apply(changes)
      })
      done += changes.length
    }
  }
}

/** Does the same without rests, while nobody writes. */
export async function copyLastKeys(from: Environment, to: FreshFile, keys: TakenKeys): Promise<void> {
  for (let batch = keys.next(MAX_BATCH_ROWS); batch.length > 0; batch = keys.next(MAX_BATCH_ROWS)) {
    for (let done = 0; done < batch.length; ) {
      const changes = readKeys(from, batch.slice(done))
      await to.makeRoomFor(changes)
      to.apply(changes)
      done += changes.length
    }
  }
}

/** Reads as many keys as one commit may take. */
function readKeys(from: Environment, keys: readonly KvChangedKey[]): FreshChange[] {
  from.refresh()
  const changes: FreshChange[] = []
  let bytes = 0
  for (const { table, key } of keys) {
    const value = from.get(table, key)
    changes.push({ table, key, value })
    bytes += key.length + (value?.length ?? 0)
    if (bytes >= MAX_BATCH_BYTES) break
  }
  return changes
}
