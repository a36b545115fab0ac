import { requireObject } from '../arguments/argument-types.ts'
import { checkOptionalInteger } from '../arguments/limits.ts'
import { type KvRow, type KvSnapshot, type KvStore, MAX_RANGE_ROWS } from '../kv/contract.ts'
import { decodeTuple, keyToHex } from '../kv/tuple.ts'
import type { CheckOptions, CheckReport } from '../model/check-report.ts'
import type { RecordKind } from '../model/feed.ts'
import { forEachBatch } from '../rows/batches.ts'
import { counterTable } from '../rows/counters.ts'
import { knownSequence } from '../rows/damaged-meta.ts'
import { feedTable } from '../rows/feed-entry.ts'
import type { StoreKind } from '../rows/meta.ts'
import { decodeMeta } from '../rows/meta-table.ts'
import { outboxTable } from '../rows/outbox.ts'
import { quarantineTable } from '../rows/quarantine.ts'
import type { TableName } from '../rows/tables.ts'
import { checkFolded } from './check-folded.ts'
import { checkRequest, checkRequestIndex } from './check-requests.ts'
import { Findings } from './findings.ts'
import { IndexTally } from './index-tally.ts'
import { Tally } from './tally.ts'

/** An index row that a record must have; a value that is absent must be empty. */
export interface ExpectedIndex {
  readonly key: Uint8Array
  readonly value?: Uint8Array
}

/** A record as a check sees it. */
export interface CheckedRecord {
  readonly kind: RecordKind
  readonly id: string
  readonly namespace: string
  readonly state: string
  /** Bytes that it counts for. */
  readonly bytes: number
  readonly indexes: readonly ExpectedIndex[]
  /** False for a record of something deleted, which stands in no count any more. */
  readonly counted: boolean
}

/** What a check must know of a kind of store. */
export interface CheckPlan {
  /** The tables with records that are indexed and counted. */
  readonly records: readonly { readonly table: TableName; readonly kind: RecordKind }[]
  /** Decodes a record with all that it should have, and adds findings of its own. Throws `RECORD_CORRUPT`. */
  readonly record: (kind: RecordKind, row: KvRow, snapshot: KvSnapshot, findings: Findings) => CheckedRecord
  readonly keyOf: (kind: RecordKind, id: string) => Uint8Array
  /** Names the record that an index row belongs to; `null` for an index that this kind of store has not. */
  readonly ownerOf: (
    row: KvRow,
  ) => { readonly kind: RecordKind | 'request' | 'folded'; readonly id: string } | null
  /** Further tables with a visit for each row. */
  readonly tables: readonly {
    readonly table: TableName
    readonly visit: (row: KvRow, snapshot: KvSnapshot, findings: Findings) => void
    /** Called behind the last row. */
    readonly end?: (snapshot: KvSnapshot, findings: Findings) => void
  }[]
}

/** A store under check. */
export interface CheckedStore {
  /** The rows as if nothing had ever been folded. */
  readonly kv: KvStore
  /** The rows as they stand on disk. */
  readonly stored: KvStore
  readonly kind: StoreKind
}

const EMPTY = new Uint8Array(0)
const MAX_COUNT_ROUNDS = 3
/** Tables that nothing else looks at. */
const DECODED: readonly (readonly [TableName, (key: Uint8Array, value: Uint8Array) => unknown])[] = [
  ['outbox', (key, value) => outboxTable.decode(key, value)],
  ['quarantine', (key, value) => quarantineTable.decode(key, value)],
  ['meta', decodeMeta],
  ['counters', (key, value) => counterTable.decode(key, value)],
]

/** Checks a store by a plan, in bounded snapshots. */
export async function checkStore(
  { kv, stored, kind }: CheckedStore,
  plan: CheckPlan,
  options: CheckOptions,
): Promise<CheckReport> {
  requireObject('options', options)
  checkOptionalInteger('maxFindings', options.maxFindings, 0)
  checkOptionalInteger('batchRows', options.batchRows, 1, MAX_RANGE_ROWS)
  const findings = new Findings(options)
  const indexes = new IndexTally()
  const start = kv.read(knownSequence).newest
  await checkRecords(kv, plan, options, findings, indexes)
  await checkFolded(stored, kind, options, findings)
  await forEachBatch(kv, 'index', options, (rows) => {
    for (const { key } of rows) {
      findings.look('index')
      indexes.see(key)
    }
  })
  // Sums of two moments say nothing of each other.
  const still = kv.read(knownSequence).newest === start
  await forEachBatch(kv, 'index', options, (rows, snapshot) => {
    for (const row of rows) {
      if (still && indexes.isComplete(row.key)) continue
      findings.guard(() => checkIndexRow(row, snapshot, plan, findings), { table: 'index', key: row.key })
    }
  })
  for (const { table, visit, end } of plan.tables) {
    await forEachBatch(kv, table, options, (rows, snapshot) => {
      for (const row of rows) {
        findings.look(table)
        findings.guard(() => visit(row, snapshot, findings), { table, key: row.key })
      }
    })
    if (end !== undefined) findings.guard(() => kv.read((snapshot) => end(snapshot, findings)), { table })
  }
  await forEachBatch(kv, 'requests', options, (rows, snapshot) => {
    for (const row of rows) {
      findings.look('requests')
      findings.guard(() => checkRequest(row, snapshot, findings), { table: 'requests', key: row.key })
    }
  })
  for (const [table, decode] of DECODED) {
    await forEachBatch(kv, table, options, (rows) => {
      for (const { key, value } of rows) {
        findings.look(table)
        findings.guard(() => decode(key, value), { table, key })
      }
    })
  }
  await checkFeed(kv, options, findings)
  const { list, truncated, examined, strandedJobIds } = findings
  return { findings: list, truncated, examined, strandedJobIds }
}

async function checkRecords(
  kv: KvStore,
  plan: CheckPlan,
  options: CheckOptions,
  findings: Findings,
  indexes: IndexTally,
): Promise<void> {
  for (let round = 1; round <= MAX_COUNT_ROUNDS; round++) {
    const first = round === 1
    const tally = new Tally(plan.keyOf)
    findings.guard(() => kv.read((snapshot) => tally.begin(snapshot)), { table: 'counters' })
    const before = findings.list.length
    for (const { table, kind } of plan.records) {
      await forEachBatch(kv, table, options, (rows, snapshot) => {
        for (const row of rows) {
          if (first) findings.look(table)
          const quiet = first ? findings : new Findings(options)
          quiet.guard(() => checkRecord(row, kind, snapshot, plan, quiet, tally, first ? indexes : null), {
            table,
            key: row.key,
          })
        }
        findings.guard(() => tally.endBatch(kind, rows.at(-1)?.key ?? null, snapshot), { table: 'feed' })
      })
      findings.guard(() => kv.read((snapshot) => tally.endBatch(kind, null, snapshot)), { table: 'feed' })
    }
    // A record that cannot be read is in a counter all the same; its finding says enough.
    if (findings.list.slice(before).some(({ rule }) => rule === 'record-corrupt')) return
    if (findings.guard(() => tally.finish(kv, findings), { table: 'counters' }) !== false) return
  }
}

function checkRecord(
  row: KvRow,
  kind: RecordKind,
  snapshot: KvSnapshot,
  plan: CheckPlan,
  findings: Findings,
  tally: Tally,
  indexes: IndexTally | null,
): void {
  const record = plan.record(kind, row, snapshot, findings)
  if (!record.counted) return
  tally.add(kind, record.namespace, record.state, 1, record.bytes)
  for (const { key, value = EMPTY } of record.indexes) {
    const found = snapshot.get('index', key)
    if (found !== undefined && Buffer.compare(found, value) === 0) {
      indexes?.ask(key)
      continue
    }
    findings.add('record-without-index', 'index', key, record.id, `${kind} ${record.id} lacks an index row`)
  }
}

function checkIndexRow(row: KvRow, snapshot: KvSnapshot, plan: CheckPlan, findings: Findings): void {
  let owner: ReturnType<CheckPlan['ownerOf']>
  try {
    owner = plan.ownerOf(row)
  } catch {
    owner = null
  }
  if (owner === null) {
    findings.add('index-unknown', 'index', row.key, '', 'an index row is of no known kind')
    return
  }
  const { kind, id } = owner
  if (kind === 'request') checkRequestIndex(row, id, snapshot, findings)
  if (kind === 'request' || kind === 'folded') return
  const table = plan.records.find((entry) => entry.kind === kind)?.table
  const key = plan.keyOf(kind, id)
  const value = table === undefined ? undefined : snapshot.get(table, key)
  if (value === undefined) {
    findings.add(
      'index-without-record',
      'index',
      row.key,
      id,
      `an index row names ${kind} ${id}, which is not there`,
    )
    return
  }
  const record = plan.record(kind, { key, value }, snapshot, new Findings({}))
  if (!record.counted) return
  const wanted = keyToHex(row.key)
  const fits = record.indexes.some(
    (expected) =>
      keyToHex(expected.key) === wanted && Buffer.compare(row.value, expected.value ?? EMPTY) === 0,
  )
  if (fits) return
  findings.add('index-without-record', 'index', row.key, id, `an index row does not fit ${kind} ${id}`)
}

async function checkFeed(kv: KvStore, options: CheckOptions, findings: Findings): Promise<void> {
  const start = kv.read(knownSequence)
  let rows = 0
  let bytes = 0
  await forEachBatch(kv, 'feed', options, (batch, snapshot) => {
    const { newest, damaged } = knownSequence(snapshot)
    for (const { key, value } of batch) {
      findings.look('feed')
      rows += 1
      bytes += value.length
      findings.guard(
        () => {
          feedTable.decode(key, value)
          if (damaged === true || Number(decodeTuple(key)[0]) <= newest) return
          findings.add(
            'sequence-ahead',
            'feed',
            key,
            '',
            `a feed entry lies beyond the newest sequence number ${newest}`,
          )
        },
        { table: 'feed', key },
      )
    }
  })
  const end = kv.read(knownSequence)
  if (end.damaged === true) return
  if (
    end.newest !== start.newest ||
    end.trimmed !== start.trimmed ||
    (rows === end.feedEntries && bytes === end.feedBytes)
  )
    return
  findings.add(
    'feed-total-wrong',
    'meta',
    null,
    '',
    `the feed is said to have ${end.feedEntries} entries of ${end.feedBytes} bytes, it has ${rows} of ${bytes}`,
  )
}
