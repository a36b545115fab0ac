import { requireObject, requireText, wrongType } from '../arguments/argument-types.ts'
import { DEFAULT_MAX_SPEC_BYTES } from '../arguments/limits.ts'
import { StoreError } from '../errors.ts'
import { unfoldedStore } from '../fold/unfolded-store.ts'
import type { KvStore } from '../kv/contract.ts'
import { checkFields, type Fields } from '../kv/fields.ts'
import { beginMigration, type MigrationReport } from '../migrations/migrations.ts'
import { type Clock, wholeMs } from '../rows/clock.ts'
import { resumeSteadyTime } from '../rows/clock-row.ts'
import { knownStoreRow, recoverSequence, requireStoreRow } from '../rows/damaged-meta.ts'
import { checkStoreRow, openForWriting, STORE_KEY, type StoreKind } from '../rows/meta.ts'
import { SteadyClock } from '../rows/steady-clock.ts'
import type { StoreParts } from './durable-store-on-kv.ts'

/** How to open a store on a key-value backend. */
export interface OpenStoreOptions {
  /** Tells the time, in milliseconds since 1970; fractions are cut off. */
  readonly clock: Clock
  /**
   * Tells the time that passes, in milliseconds from any beginning, as `performance.now` does. With it leases, delays,
   * due times and deadlines come when they should, however `clock` is set. Without it they follow `clock`, but not
   * back.
   */
  readonly steadyClock?: Clock
  /** The node that the store belongs to. A store that has one refuses another. */
  readonly nodeId?: string
  /** The largest specification, in bytes of JSON. Default 1,000,000. */
  readonly maxSpecBytes?: number
  /** Gets what was done where the store was of an earlier schema. */
  readonly onMigration?: (report: MigrationReport) => void
}

const OPEN_FIELDS: Fields<OpenStoreOptions> = {
  clock: true,
  steadyClock: true,
  nodeId: true,
  maxSpecBytes: true,
  onMigration: true,
}

/**
 * Checks the options of a store as an opening does, for backends that make a file before they open a store in it.
 * Throws `TypeError`: all of them are written by a programmer.
 */
export function checkOpenOptions(options: OpenStoreOptions): void {
  requireObject('options', options)
  checkFields('options', options, OPEN_FIELDS)
  const { clock, steadyClock, nodeId, maxSpecBytes } = options
  if (typeof clock !== 'function') throw wrongType('clock', 'a function that tells the time', clock)
  if (steadyClock !== undefined && typeof steadyClock !== 'function')
    throw wrongType('steadyClock', 'a function that tells the time that passes', steadyClock)
  if (nodeId !== undefined) {
    requireText('node id', nodeId)
    if (nodeId.trim() === '') throw new TypeError('the node id is empty; leave it out for a store of no node')
  }
  if (maxSpecBytes !== undefined && !(Number.isSafeInteger(maxSpecBytes) && maxSpecBytes > 0)) {
    throw wrongType('maxSpecBytes', 'a whole number of bytes above 0', maxSpecBytes)
  }
}

/**
 * Checks what the backend holds, and notes the opening. Throws `TypeError` and what the openings of both stores throw.
 */
export async function openParts(
  kv: KvStore,
  kind: StoreKind,
  options: OpenStoreOptions,
): Promise<StoreParts> {
  checkOpenOptions(options)
  const { nodeId, maxSpecBytes = DEFAULT_MAX_SPEC_BYTES } = options
  const request = { kind, nodeId, nowMs: wholeMs(options.clock)() }
  const made = { kv: unfoldedStore(kv, kind), stored: kv, kind, maxSpecBytes }
  if (!kv.readOnly) {
    requireStoreRow(kv)
    const row = kv.read(knownStoreRow)
    if (row !== undefined) checkStoreRow(row, request, kv.location)
    await recoverSequence(made.kv, request.nowMs)
    const report = await beginMigration(kv)
    if (report !== null) options.onMigration?.(report)
    let aheadMs = 0
    const incarnation = await openForWriting(kv, request, (rows) => {
      aheadMs = resumeSteadyTime(rows, request.nowMs)
    })
    return { ...made, clock: new SteadyClock(options.clock, options.steadyClock, aheadMs), incarnation }
  }
  const named = kv.read((snapshot) => snapshot.get('meta', STORE_KEY) !== undefined)
  if (!named) {
    throw new StoreError('STORE_NOT_FOUND', `${kv.location} holds no store yet`, {
      path: kv.location,
      hint: 'start the node once, then look again',
    })
  }
  const row = kv.read(knownStoreRow)
  // Whoever looks at a damaged store must get in.
  if (row !== undefined) checkStoreRow(row, request, kv.location)
  return { ...made, clock: new SteadyClock(options.clock, options.steadyClock, 0), incarnation: null }
}
