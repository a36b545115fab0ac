import { isStoreError } from '@saltcod/store-core'
import { decodeRecord, decodeTuple, type StoreRow, tuple } from '@saltcod/store-core/format'

import { readTable } from '../file/file-walk.ts'
import { checkDataFile } from '../file/store-path.ts'
import { notFoundError } from '../refusal.ts'

const STORE_KEY = Buffer.from(tuple('store'))
const SEQUENCE_KEY = Buffer.from(tuple('sequence'))

/** What tells, from the inside of a file, which store it is and how far it has come. */
export interface StoreMark {
  /** Absent where the row with it is damaged, as the others are where theirs is. */
  readonly storeId?: string
  readonly sequence?: number
  /** The ids of all openings for writing. */
  readonly incarnations?: readonly string[]
}

/**
 * Reads which store a file holds and how far it has come, without LMDB and without leaving a trace. What is damaged is
 * left out. Throws `STORE_DAMAGED` where the file itself is, or another process writes to it meanwhile, and
 * `STORE_NOT_FOUND` or `STORE_FOREIGN` where there is none, or something else, such as a pipe.
 */
export function readStoreMark(path: string): StoreMark {
  if (!checkDataFile(path, true)) throw notFoundError(path)
  const rows = readTable(path, 'meta')
  let isWhole = true
  const record = <T>(key: Buffer, value: Buffer): T | undefined => {
    try {
      return decodeRecord<T>('meta', key, value)
    } catch (error) {
      if (!isStoreError(error, 'RECORD_CORRUPT')) throw error
      isWhole = false
      return undefined
    }
  }
  const find = <T>(wanted: Buffer): T | undefined => {
    const row = rows.find(({ key }) => key.equals(wanted))
    return row && record<T>(row.key, row.value)
  }
  const storeId = find<StoreRow>(STORE_KEY)?.storeId
  const sequence = find<{ readonly n: number }>(SEQUENCE_KEY)?.n
  isWhole = true
  const incarnations = rows.flatMap(({ key, value }) => {
    if (!isIncarnation(key)) return []
    return record<{ readonly id: string }>(key, value)?.id ?? []
  })
  return {
    ...(storeId === undefined ? {} : { storeId }),
    ...(sequence === undefined ? {} : { sequence }),
    ...(isWhole ? { incarnations } : {}),
  }
}

function isIncarnation(key: Buffer): boolean {
  try {
    return decodeTuple(key)[0] === 'incarnation'
  } catch {
    // A key that is damaged itself is of no opening.
    return false
  }
}
