import { setImmediate } from 'node:timers/promises'
import { requireObject, requireOptionalFlag } from '../arguments/argument-types.ts'
import { checkInteger } from '../arguments/limits.ts'
import type { KvRow, KvSnapshot, KvStore, KvTransaction } from '../kv/contract.ts'
import { endOfTuple, keyToHex, tuple } from '../kv/tuple.ts'
import type { FoldReport, FoldRule } from '../model/fold.ts'
import { type MarkerRow, markerTable } from '../rows/meta-table.ts'
import { damagedRow, orUndamaged } from '../rows/quarantine.ts'
import type { TableName } from '../rows/tables.ts'
import { encodeFolded, type OwnedRow } from './folded-record.ts'
import { type FoldLayout, keyBehindTime, MEMBER_TABLE, pointerKey } from './layout.ts'

/** The most rows of one owner, and the most bytes; what has more stays as it is. */
const MAX_OWNER_ROWS = 400
const MAX_OWNER_BYTES = 512 * 1024
const MAX_STEP_OWNERS = 500
const MAX_STEP_EXAMINED = 1_000
/** One owner more may come on top, and each row may take two keys of the 2,000 that a body has. */
const MAX_WRITE_ROWS = 500
const MAX_WRITE_BYTES = 2 * 1024 * 1024
/**
 * After so long a walk begins anew, for what it had to pass over: a record that was changed after it had been
 * folded, one that could not be folded yet, one that came in with an end long past.
 */
const WALK_MS = 24 * 3_600_000

/** What a kind of store knows of its finished owners. */
export interface FoldPlan {
  readonly layout: FoldLayout
  /** Beginnings of the index rows of finished owners; behind each stand the time of the end and the owner's key. */
  readonly stretches: (snapshot: KvSnapshot) => readonly Uint8Array[]
  /** Returns the executions of an owner, or `null` where it is not to be folded. Throws `RECORD_CORRUPT`. */
  readonly members: (snapshot: KvSnapshot, owner: KvRow) => readonly Uint8Array[] | null
}

interface Prepared {
  readonly ownerKey: Uint8Array
  readonly rows: readonly OwnedRow[]
  readonly record: Uint8Array
}

const MARKER = tuple('fold')

/** Tells whether a row of `meta` is the place of a walk, which a store can lose without harm. */
export function isFoldMarker(key: Uint8Array): boolean {
  return Buffer.compare(key.subarray(0, MARKER.length), MARKER) === 0
}

/**
 * Folds finished owners along the finished index, oldest first. What is read and compressed is done before the write,
 * which only makes sure that nothing has changed since.
 */
export async function foldStep(
  kv: KvStore,
  plan: FoldPlan,
  rule: FoldRule,
  nowMs: number,
): Promise<FoldReport> {
  requireObject('rule', rule)
  const { olderThanMs = 0, limit = 50, anew = false } = rule
  checkInteger('limit', limit, 1, MAX_STEP_OWNERS)
  checkInteger('olderThanMs', olderThanMs, 0)
  requireOptionalFlag('anew', anew)
  if (anew) await forgetMarkers(kv)
  const step = new FoldStep(kv, plan, { limit, nowMs })
  for (const stretch of kv.read(plan.stretches)) {
    await step.along(stretch, nowMs - olderThanMs)
    if (step.isFull) break
  }
  return step.report
}

/** Lets the walks along all stretches begin again, also of those that this step does not reach. */
async function forgetMarkers(kv: KvStore): Promise<void> {
  const range = { gte: MARKER, lt: endOfTuple(MARKER), limit: MAX_STEP_OWNERS }
  let removed: number
  do {
    removed = await kv.write(
      (rows) => {
        const keys = rows.keys('meta', range)
        for (const key of keys) rows.remove('meta', key)
        return keys.length
      },
      { background: true },
    )
  } while (removed === MAX_STEP_OWNERS)
}

class FoldStep {
  readonly #kv: KvStore
  readonly #plan: FoldPlan
  readonly #limit: number
  readonly #nowMs: number
  #examined = 0
  #prepared = 0
  #folded = 0
  #bytesBefore = 0
  #bytesAfter = 0
  #waiting: Prepared[] = []

  constructor(kv: KvStore, plan: FoldPlan, options: { readonly limit: number; readonly nowMs: number }) {
    this.#kv = kv
    this.#plan = plan
    this.#limit = options.limit
    this.#nowMs = options.nowMs
  }

  get isFull(): boolean {
    return this.#prepared >= this.#limit || this.#examined >= MAX_STEP_EXAMINED
  }

  get report(): FoldReport {
    return {
      examined: this.#examined,
      folded: this.#folded,
      bytesBefore: this.#bytesBefore,
      bytesAfter: this.#bytesAfter,
      more: this.isFull,
    }
  }

  async along(stretch: Uint8Array, untilMs: number): Promise<void> {
    if (untilMs < 0) return
    const markerKey = tuple(MARKER, stretch)
    const { begun, keys } = this.#kv.read((snapshot) => {
      const marker = this.#markerOf(snapshot, markerKey)
      const range = {
        ...(marker === undefined ? { gte: stretch } : { gt: Buffer.from(marker.last, 'hex') }),
        lt: endOfTuple(tuple(stretch, untilMs)),
        limit: MAX_STEP_EXAMINED - this.#examined,
      }
      return { begun: marker?.begun ?? this.#nowMs, keys: snapshot.keys('index', range) }
    })
    let last: Uint8Array | undefined
    for (const key of keys) {
      if (this.isFull) break
      last = key
      this.#examined += 1
      await this.#look(keyBehindTime(key, stretch))
    }
    if (last !== undefined) await this.#write(markerKey, { begun, last: keyToHex(last) })
  }

  /** A walk that began long ago, or in the future, is over. */
  #markerOf(snapshot: KvSnapshot, key: Uint8Array): MarkerRow | undefined {
    const marker = orUndamaged(() => markerTable.get(snapshot, key))
    const ageMs = this.#nowMs - (marker?.begun ?? 0)
    return ageMs >= 0 && ageMs < WALK_MS ? marker : undefined
  }

  async #look(ownerKey: Uint8Array): Promise<void> {
    const prepared = this.#kv.read((snapshot) => prepare(snapshot, this.#plan, ownerKey))
    if (prepared === null) return
    this.#prepared += 1
    this.#waiting.push(prepared)
    const rows = this.#waiting.reduce((sum, one) => sum + one.rows.length, 0)
    const bytes = this.#waiting.reduce((sum, one) => sum + one.record.length, 0)
    if (rows >= MAX_WRITE_ROWS || bytes >= MAX_WRITE_BYTES) await this.#write()
    // Compressing takes a tenth of a millisecond; others have their turn in between.
    await setImmediate()
  }

  async #write(markerKey?: Uint8Array, marker?: MarkerRow): Promise<void> {
    const batch = this.#waiting
    this.#waiting = []
    const done = await this.#kv.write(
      (rows) => {
        if (markerKey !== undefined && marker !== undefined) markerTable.put(rows, markerKey, marker)
        return batch.filter((prepared) => carryOut(rows, this.#plan, prepared))
      },
      { background: true },
    )
    for (const { ownerKey, rows, record } of done) {
      this.#folded += 1
      this.#bytesBefore += sizeOf(rows)
      this.#bytesAfter += ownerKey.length + record.length
      for (const { table, key } of rows) {
        if (isMember(this.#plan.layout, table)) this.#bytesAfter += pointerKey(key).length + ownerKey.length
      }
    }
  }
}

function prepare(snapshot: KvSnapshot, plan: FoldPlan, ownerKey: Uint8Array): Prepared | null {
  try {
    const rows = gather(snapshot, plan, ownerKey)
    const record = rows === null ? null : encodeFolded(plan.layout, ownerKey, rows)
    return rows === null || record === null ? null : { ownerKey, rows, record }
  } catch (error) {
    if (damagedRow(error) === null) throw error
    return null
  }
}

/** Reads all rows of an owner; `null` where it is not to be folded. Throws `RECORD_CORRUPT`. */
function gather(snapshot: KvSnapshot, plan: FoldPlan, ownerKey: Uint8Array): OwnedRow[] | null {
  const { layout } = plan
  const value = snapshot.get(layout.home, ownerKey)
  const members = value === undefined ? null : plan.members(snapshot, { key: ownerKey, value })
  if (value === undefined || members === null || members.length > MAX_OWNER_ROWS) return null
  const [specs = [], history = []] = layout.parts.map(({ table }) => partRows(snapshot, table, ownerKey))
  const executions: OwnedRow[] = []
  for (const key of members) {
    const found = snapshot.get(MEMBER_TABLE, key)
    if (found === undefined) return null
    executions.push({ table: MEMBER_TABLE, key, value: found })
  }
  const rows = [{ table: layout.home, key: ownerKey, value }, ...specs, ...executions, ...history]
  return rows.length > MAX_OWNER_ROWS || sizeOf(rows) > MAX_OWNER_BYTES ? null : rows
}

function partRows(snapshot: KvSnapshot, table: TableName, ownerKey: Uint8Array): OwnedRow[] {
  const range = { gte: ownerKey, lt: endOfTuple(ownerKey), limit: MAX_OWNER_ROWS + 1 }
  return snapshot.range(table, range).map(({ key, value }) => ({ table, key, value }))
}

/** Writes a record in place of its rows, unless one of them has changed. */
function carryOut(
  rows: KvTransaction,
  plan: FoldPlan,
  { ownerKey, rows: before, record }: Prepared,
): boolean {
  const { layout } = plan
  const now = gather(rows, plan, ownerKey)
  if (now === null || now.length !== before.length) return false
  const same = now.every(({ table, key, value }, index) => {
    const old = before[index]
    return (
      old?.table === table && Buffer.compare(old.key, key) === 0 && Buffer.compare(old.value, value) === 0
    )
  })
  if (!same) return false
  for (const { table, key } of before) {
    if (table === layout.home) continue
    rows.remove(table, key)
    if (isMember(layout, table)) rows.put('index', pointerKey(key), ownerKey)
  }
  rows.put(layout.home, ownerKey, record)
  return true
}

function isMember(layout: FoldLayout, table: TableName): boolean {
  return layout.hasMembers && table === MEMBER_TABLE
}

function sizeOf(rows: readonly OwnedRow[]): number {
  return rows.reduce((sum, { key, value }) => sum + key.length + value.length, 0)
}
