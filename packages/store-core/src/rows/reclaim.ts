import { StoreError } from '../errors.ts'
import { type KvSnapshot, type KvTransaction, MAX_KEY_BYTES } from '../kv/contract.ts'
import { endOfTuple } from '../kv/tuple.ts'
import type { ReclaimReport } from '../model/store-info.ts'
import type { DiskNames } from './field-names.ts'
import type { Mutation } from './mutation.ts'
import { damagedRow } from './quarantine.ts'
import { RecordTable } from './record-table.ts'
import { isKeyText, isNumber, optional } from './row-shape.ts'
import { rowsOf } from './scan.ts'
import type { TableName } from './tables.ts'

/** A record that was deleted and whose rows are still being removed. */
export interface ReclaimRow {
  readonly id: string
  readonly atMs: number
  /**
   * Set where it is no deleted record but one that is being written in steps: until when it may take, by steady time.
   */
  readonly untilSteadyMs?: number
}

/** The names of {@link ReclaimRow} on disk. */
export const RECLAIM_NAMES: DiskNames<ReclaimRow> = { id: 'id', atMs: 'at', untilSteadyMs: 'until' }

/** What is left to be removed, by the key of the deleted record. */
export const reclaimTable: RecordTable<ReclaimRow> = new RecordTable<ReclaimRow>(
  'reclaim',
  1,
  RECLAIM_NAMES,
  { id: isKeyText, atMs: isNumber, untilSteadyMs: optional(isNumber) },
)

const MAX_STEP_KEYS = 500
const NO_BYTES = new Uint8Array(0)

/** Tells whether a record was deleted and waits for its rows to be removed. */
export function isDeleted(snapshot: KvSnapshot, key: Uint8Array): boolean {
  return key.length <= MAX_KEY_BYTES && snapshot.get('reclaim', key) !== undefined
}

/** Notes a record whose remaining rows are to be removed. */
export function putReclaim(mutation: Mutation, key: Uint8Array, id: string): void {
  reclaimTable.put(mutation.rows, key, { id, atMs: mutation.nowMs })
}

/**
 * Marks a record that is being written in steps: until it is whole it is hidden, and from a steady time on its rows
 * are removed.
 */
export function stageReclaim(mutation: Mutation, key: Uint8Array, id: string, untilMs: number): void {
  reclaimTable.put(mutation.rows, key, { id, atMs: mutation.nowMs, untilSteadyMs: untilMs })
}

/** Tells whether a record is being written in steps. */
export function isStaged(snapshot: KvSnapshot, key: Uint8Array): boolean {
  return key.length <= MAX_KEY_BYTES && reclaimTable.get(snapshot, key)?.untilSteadyMs !== undefined
}

/** Gives the next step of a record more time. Throws `JOB_NOT_FOUND` where its mark is gone: the rows were removed. */
export function extendReclaim(mutation: Mutation, key: Uint8Array, id: string, untilMs: number): void {
  requireStaged(mutation, key)
  stageReclaim(mutation, key, id, untilMs)
}

/** Takes the mark of {@link stageReclaim} away. Throws `JOB_NOT_FOUND` where it is gone: the rows were removed. */
export function dropReclaim(mutation: Mutation, key: Uint8Array): void {
  requireStaged(mutation, key)
  mutation.rows.remove('reclaim', key)
}

/** Gives up a record that is being written in steps: its rows may be removed at once. */
export function endStaging(mutation: Mutation, key: Uint8Array, id: string): void {
  if (isStaged(mutation.rows, key)) stageReclaim(mutation, key, id, mutation.steadyMs)
}

function requireStaged(mutation: Mutation, key: Uint8Array): void {
  const staged = reclaimTable.get(mutation.rows, key)
  if (staged?.untilSteadyMs !== undefined && staged.untilSteadyMs > mutation.steadyMs) return
  throw new StoreError('JOB_NOT_FOUND', 'the import took too long, and what it wrote is being removed', {
    hint: 'import it again in a moment',
  })
}

/** A deleted record, or one that was begun in steps and given up, whose rows are to be removed. */
export interface Remains {
  readonly key: Uint8Array
  readonly id: string
  /** Whether it was never whole, so that nobody has heard of it. */
  readonly neverSeen: boolean
}

/** Removes rows of deleted records, at most 500 keys; `remove` takes what it may of one record. */
export function reclaimStep(
  mutation: Mutation,
  remove: (remains: Remains, limit: number) => { readonly removed: number; readonly done: boolean },
): ReclaimReport {
  const finished: string[] = []
  let left = MAX_STEP_KEYS
  for (const remains of remainsOf(mutation)) {
    if (left < 1) return { removedRows: MAX_STEP_KEYS - left, finished, more: true }
    const { removed, done } = remove(remains, left)
    left -= removed
    if (!done) return { removedRows: MAX_STEP_KEYS - left, finished, more: true }
    mutation.rows.remove('reclaim', remains.key)
    finished.push(remains.id)
    left -= 1
  }
  return { removedRows: MAX_STEP_KEYS - left, finished, more: false }
}

/** Passes over what is still being written, however much of it comes first. */
function* remainsOf(mutation: Mutation): Generator<Remains> {
  for (const { key, value } of rowsOf(mutation.rows, 'reclaim', NO_BYTES)) {
    const row = readMark(key, value)
    // Until then it is still being written.
    if (row === null || (row.untilSteadyMs !== undefined && row.untilSteadyMs > mutation.steadyMs)) continue
    yield { key, id: row.id, neverSeen: row.untilSteadyMs !== undefined }
  }
}

/** A damaged mark is left to `check` and `repair`, and does not keep the others. */
function readMark(key: Uint8Array, value: Uint8Array): ReclaimRow | null {
  try {
    return reclaimTable.decode(key, value)
  } catch (error) {
    if (damagedRow(error) === null) throw error
    return null
  }
}

/** Removes rows that nothing else points to, and returns how many. */
export function removePlainRows(
  rows: KvTransaction,
  table: TableName,
  prefix: Uint8Array,
  limit: number,
): number {
  if (limit < 1) return 0
  const keys = rows.keys(table, { gte: prefix, lt: endOfTuple(prefix), limit })
  for (const key of keys) rows.remove(table, key)
  return keys.length
}
