import type { KvSnapshot, KvTransaction } from '../kv/contract.ts'
import { tuple } from '../kv/tuple.ts'
import { knownSequence } from './damaged-meta.ts'
import type { DiskNames } from './field-names.ts'
import { readSequence } from './meta.ts'
import { orUndamaged } from './quarantine.ts'
import { RecordTable } from './record-table.ts'
import { isNumber } from './row-shape.ts'
import { CLOCK_STEP_MS, type Moment } from './steady-clock.ts'

/**
 * By how much steady time is ahead of the machine's clock, as it was written down last; negative where it is behind.
 */
interface ClockRow {
  readonly aheadMs: number
  /** What the clock told at that moment. */
  readonly atMs: number
  /** The newest sequence number at that moment. */
  readonly newestSequence: number
}

/** The names of {@link ClockRow} on disk. */
export const CLOCK_NAMES: DiskNames<ClockRow> = { aheadMs: 'a', atMs: 'at', newestSequence: 'n' }

/** By how much steady time is ahead. */
export const clockTable: RecordTable<ClockRow> = new RecordTable<ClockRow>('meta', 1, CLOCK_NAMES, {
  aheadMs: isNumber,
  atMs: isNumber,
  newestSequence: isNumber,
})
const KEY = tuple('clock')

/**
 * Returns by how much steady time is ahead of the clock; 0 where the clock was never set, or nothing whole tells of
 * it.
 */
function readAheadMs(snapshot: KvSnapshot): number {
  return readRow(snapshot)?.aheadMs ?? 0
}

/** Returns a moment by both clocks, as far as a store tells. */
export function steadyMoment(snapshot: KvSnapshot, nowMs: number): Moment {
  return { nowMs, steadyMs: nowMs + readAheadMs(snapshot) }
}

/** Writes down by how much steady time is ahead of the clock. */
export function writeAheadMs(rows: KvTransaction, aheadMs: number, nowMs: number): void {
  clockTable.put(rows, KEY, { aheadMs, atMs: nowMs, newestSequence: readSequence(rows).newest })
}

/**
 * Finds out by how much steady time is ahead when a store is opened for writing, and writes it down with the time of
 * the opening.
 */
export function resumeSteadyTime(rows: KvTransaction, nowMs: number): number {
  const aheadMs = aheadAtOpening(rows, nowMs)
  writeAheadMs(rows, aheadMs, nowMs)
  return aheadMs
}

/**
 * Returns by how much steady time is ahead when a store is opened. A clock that tells a time before the newest one of
 * the store was set back since. Where so much time seems to have passed as it was set back by before, it is taken to
 * be right again, for that cannot be told from time that passed, and what waits would be late in the other case only
 * by as much as nobody was there.
 */
function aheadAtOpening(snapshot: KvSnapshot, nowMs: number): number {
  const row = readRow(snapshot)
  const sequence = knownSequence(snapshot)
  const lastMs = row !== undefined && row.newestSequence >= sequence.newest ? row.atMs : sequence.newestAtMs
  const aheadMs = row?.aheadMs ?? 0
  if (lastMs - nowMs > CLOCK_STEP_MS) return aheadMs + lastMs - nowMs
  return aheadMs > 0 && nowMs - lastMs >= aheadMs ? 0 : aheadMs
}

function readRow(snapshot: KvSnapshot): ClockRow | undefined {
  return orUndamaged(() => clockTable.get(snapshot, KEY))
}
