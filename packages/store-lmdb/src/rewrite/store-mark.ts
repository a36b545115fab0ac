import { decodeRecord, type StoreRow, tuple } from '@saltcod/store-core/format'

import { readTable } from '../file/file-walk.ts'

const STORE_KEY = Buffer.from(tuple('store'))
const SEQUENCE_KEY = Buffer.from(tuple('sequence'))

/** What tells, from the inside of a file, which store it is and how far it has come. */
interface StoreMark {
  readonly storeId: string | undefined
  readonly sequence: number
}

/**
 * Whether a file holds all that another one holds, as far as their own records tell: it is the same store, and its
 * newest sequence number is not below the other's. Neither file may be open for writing. Throws `STORE_DAMAGED` or
 * `RECORD_CORRUPT` where one cannot be read.
 */
export function holdsAllOf(path: string, other: string): boolean {
  const [mine, its] = [markOf(path), markOf(other)]
  return mine.storeId === its.storeId && mine.sequence >= its.sequence
}

function markOf(path: string): StoreMark {
  const rows = readTable(path, 'meta')
  const record = <T>(wanted: Buffer): T | undefined => {
    const row = rows.find(({ key }) => key.equals(wanted))
    return row && decodeRecord<T>('meta', row.key, row.value)
  }
  return {
    storeId: record<StoreRow>(STORE_KEY)?.storeId,
    sequence: record<{ readonly n: number }>(SEQUENCE_KEY)?.n ?? 0,
  }
}
