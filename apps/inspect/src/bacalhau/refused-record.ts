import type { Note } from '@saltcod/bacalhau-records'
import { isStoreError } from '@saltcod/store-core'

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
