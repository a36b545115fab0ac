import { isStoreError } from '../errors.ts'
import type { KvSnapshot, KvTransaction } from '../kv/contract.ts'
import { decodeTuple, keyToHex, tuple } from '../kv/tuple.ts'
import type { QuarantinedRecord } from '../model/store-info.ts'
import type { DiskNames } from './field-names.ts'
import { RecordTable } from './record-table.ts'
import { isNumber, isText } from './row-shape.ts'

/** What is noted of a damaged row. */
interface QuarantineRow {
  readonly reason: string
  readonly foundAtMs: number
}

/** The names of {@link QuarantineRow} on disk. */
export const QUARANTINE_NAMES: DiskNames<QuarantineRow> = { reason: 'reason', foundAtMs: 'at' }

/** The damaged rows that were found so far, by table and key. */
export const quarantineTable: RecordTable<QuarantineRow> = new RecordTable<QuarantineRow>(
  'quarantine',
  1,
  QUARANTINE_NAMES,
  { reason: isText, foundAtMs: isNumber },
)
const MAX_LISTED = 10_000

/**
 * A damaged row, as the error that its decoding threw describes it. Of a damaged key the error does not tell whose it
 * is: the table is empty then.
 */
export interface DamagedRow {
  readonly table: string
  readonly key: string
  readonly reason: string
}

/** Returns the row that a decoding error speaks of; `null` for any other error. */
export function damagedRow(error: unknown): DamagedRow | null {
  if (!isStoreError(error, 'RECORD_CORRUPT')) return null
  const { table: name, key } = error.details
  return name === undefined || key === undefined ? null : { table: name, key, reason: error.message }
}

/** As {@link damagedRow}, for a row whose table and key are known. */
export function damagedRowAt(error: unknown, table: string, key: Uint8Array): DamagedRow | null {
  const damaged = damagedRow(error)
  return damaged?.table === '' ? { ...damaged, table, key: keyToHex(key) } : damaged
}

/** Notes a damaged row, unless it is noted already, or it is not known whose it is. */
export function putQuarantine(rows: KvTransaction, damaged: DamagedRow, nowMs: number): void {
  if (damaged.table === '') return
  const key = tuple(damaged.table, Buffer.from(damaged.key, 'hex'))
  if (rows.get('quarantine', key) !== undefined) return
  quarantineTable.put(rows, key, { reason: damaged.reason, foundAtMs: nowMs })
}

/** Returns what a step gives; `undefined` where it meets something damaged. */
export function orUndamaged<T>(step: () => T): T | undefined {
  try {
    return step()
  } catch (error) {
    if (damagedRow(error) === null) throw error
    return undefined
  }
}

/** Returns every damaged row that was noted, also where the note itself is damaged. */
export function readQuarantine(snapshot: KvSnapshot): QuarantinedRecord[] {
  return snapshot.range('quarantine', { limit: MAX_LISTED }).map(({ key, value }) => {
    const name = orUndamaged(() => firstText(key)) ?? ''
    const note = orUndamaged(() => quarantineTable.decode(key, value))
    const { reason, foundAtMs } = note ?? { reason: 'what was noted of it is damaged itself', foundAtMs: 0 }
    const keyHex = keyToHex(name === '' ? key : key.subarray(tuple(name).length))
    return { table: name, key: keyHex, reason, foundAtMs }
  })
}

/** The first part alone: what follows it is the bytes of a damaged key, which may be no tuple. */
function firstText(key: Uint8Array): string {
  const end = key.indexOf(0, 1)
  return String(decodeTuple(key.subarray(0, end + 1))[0])
}
