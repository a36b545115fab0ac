import { decodeFolded, isFolded, isLoose } from '../fold/folded-record.ts'
import { type FoldLayout, layoutOf, MEMBER_TABLE, POINTER_PREFIX, pointerKey } from '../fold/layout.ts'
import { type KvRow, type KvSnapshot, type KvStore, MAX_KEY_BYTES } from '../kv/contract.ts'
import { decodeIdTuple, endOfTuple } from '../kv/tuple.ts'
import type { CheckOptions } from '../model/check-report.ts'
import { forEachBatch } from '../rows/batches.ts'
import type { StoreKind } from '../rows/meta.ts'
import type { Findings } from './findings.ts'

/**
 * Checks the folded records of a store as they stand: each can be taken apart, none of its rows is in its table too,
 * and index rows lead to its executions. What the rows say is checked with all others.
 */
export async function checkFolded(
  kv: KvStore,
  kind: StoreKind,
  options: CheckOptions,
  findings: Findings,
): Promise<void> {
  const layout = layoutOf(kind)
  await forEachBatch(kv, layout.home, options, (rows, snapshot) => {
    for (const row of rows) {
      if (isFolded(row.value))
        findings.guard(() => checkRecord(row, layout, snapshot, findings), {
          table: layout.home,
          key: row.key,
        })
    }
  })
  if (!layout.hasMembers) return
  await forEachBatch(
    kv,
    'index',
    options,
    (rows, snapshot) => {
      for (const row of rows)
        findings.guard(() => checkPointer(row, layout, snapshot, findings), { table: 'index', key: row.key })
    },
    POINTER_PREFIX,
  )
}

function checkRecord(
  { key, value }: KvRow,
  layout: FoldLayout,
  snapshot: KvSnapshot,
  findings: Findings,
): void {
  const id = decodeIdTuple(layout.idPrefix, key)
  const rows = decodeFolded(layout, key, value)
  for (const { table } of layout.parts) {
    const [loose] = snapshot.keys(table, { gte: key, lt: endOfTuple(key), limit: 1 })
    if (loose !== undefined)
      findings.add('folded-and-loose', table, loose, id, `a row of ${id} is folded too`)
  }
  for (const row of rows) {
    if (!layout.hasMembers || row.table !== MEMBER_TABLE) continue
    const executionId = decodeIdTuple('e', row.key)
    if (snapshot.get(MEMBER_TABLE, row.key) !== undefined) {
      findings.add('folded-and-loose', MEMBER_TABLE, row.key, executionId, `${executionId} is folded too`)
    }
    const pointer = snapshot.get('index', pointerKey(row.key))
    if (pointer !== undefined && Buffer.compare(pointer, key) === 0) continue
    findings.add(
      'record-without-index',
      'index',
      pointerKey(row.key),
      executionId,
      `no index row leads to execution ${executionId}, which is folded`,
    )
  }
}

function checkPointer(
  { key, value }: KvRow,
  layout: FoldLayout,
  snapshot: KvSnapshot,
  findings: Findings,
): void {
  const executionKey = key.subarray(POINTER_PREFIX.length)
  const id = decodeIdTuple('e', executionKey)
  const isKey = value.length > 0 && value.length <= MAX_KEY_BYTES
  const record = isKey ? snapshot.get(layout.home, value) : undefined
  // A damaged record may still be the one that is meant; it has its own finding.
  if (record !== undefined && !isFolded(record) && !isLoose(record)) return
  const has =
    record !== undefined &&
    isFolded(record) &&
    decodeFolded(layout, value, record).some(
      (row) => row.table === MEMBER_TABLE && Buffer.compare(row.key, executionKey) === 0,
    )
  if (has) return
  findings.add(
    'index-without-record',
    'index',
    key,
    id,
    `an index row names execution ${id}, which is not folded`,
  )
}
