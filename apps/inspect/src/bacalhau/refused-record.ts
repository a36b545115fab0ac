import type { Note } from '@saltcod/bacalhau-records'
import { type HistoryEntry, isStoreError } from '@saltcod/store-core'
import { checkId } from '@saltcod/store-core/format'

/** Makes a note of a record that a store does not take. */
export function leftOut(record: Note['record'], id: string, place: string, problem: string): Note {
  return { kind: 'left-out', record, id, place, code: 'refused', message: `${problem}; it is left out` }
}

/** Says why a store does not take something; everything else ends the import. */
export function refusalOf(add: () => unknown): string | null {
  try {
    add()
    return null
  } catch (error) {
    if (error instanceof RangeError) return 'it is nested too deep'
    const isRefusal = error instanceof TypeError || isStoreError(error, 'INVALID_ARGUMENT', 'KEY_TOO_LONG')
    if (!isRefusal) throw error
    return error.message
  }
}

/** Says why a store does not take an entry of a history; `null` where it does. */
export function entryRefusal({ executionId }: HistoryEntry): string | null {
  return executionId === null ? null : refusalOf(() => checkId('execution', executionId))
}
