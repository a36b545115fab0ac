import { randomUUID } from 'node:crypto'
import { isFoldMarker } from '../fold/fold-step.ts'
import type { KvStore } from '../kv/contract.ts'
import { decodeTuple } from '../kv/tuple.ts'
import { SAFE_GAP } from '../rows/damaged-meta.ts'
import type { ExecutionFields } from '../rows/execution-rows.ts'
import { feedTable } from '../rows/feed-entry.ts'
import { putLossEntry } from '../rows/history.ts'
import {
  readSequence,
  readStoreRow,
  SCHEMA_VERSION,
  type StoreKind,
  writeSequence,
  writeStoreRow,
} from '../rows/meta.ts'
import { decodeMeta } from '../rows/meta-table.ts'
import { outboxTable } from '../rows/outbox.ts'
import { reclaimTable } from '../rows/reclaim.ts'
import { requestIndexKey, requestTable } from '../rows/requests.ts'
import { isSoundEndReason } from '../states/end-reason.ts'
import type { StateMachine } from '../states/transitions.ts'
import type { RebuildRun } from './rebuild-run.ts'

const EMPTY = new Uint8Array(0)
const LIGHT_BATCH_ROWS = 500

/** Drops damaged rows of what both stores have, and makes sure that the row which names the store is there. */
export async function rebuildMeta(run: RebuildRun, kv: KvStore, kind: StoreKind): Promise<void> {
  await run.each('meta', ({ key, value }, rows) => {
    // Nothing is folded any more.
    if (isFoldMarker(key)) rows.remove('meta', key)
    else decodeMeta(key, value)
  })
  await run.each('reclaim', ({ key, value }) => void reclaimTable.decode(key, value))
  // What was damaged is gone now.
  await run.each('quarantine', ({ key }, rows) => void rows.remove('quarantine', key))
  await kv.write((rows) => {
    if (readStoreRow(rows) !== undefined) return
    writeStoreRow(rows, {
      kind,
      schema: SCHEMA_VERSION,
      storeId: randomUUID(),
      nodeId: null,
      createdAtMs: run.nowMs,
    })
  })
}

/** Rebuilds the index of request ids and the totals of the feed; the last step. */
export async function rebuildTotals(run: RebuildRun, kv: KvStore): Promise<void> {
  await run.each(
    'requests',
    ({ key, value }, rows) => {
      const { atMs } = requestTable.decode(key, value)
      rows.put('index', requestIndexKey(atMs, String(decodeTuple(key)[0])), EMPTY)
    },
    LIGHT_BATCH_ROWS,
  )
  await run.each('outbox', ({ key, value }) => {
    outboxTable.decode(key, value)
    run.sawSequence(decodeTuple(key)[1])
  })
  let first: number | null = null
  let entries = 0
  let bytes = 0
  await run.each(
    'feed',
    ({ key, value }) => {
      feedTable.decode(key, value)
      first ??= Number(decodeTuple(key)[0])
      run.sawSequence(decodeTuple(key)[0])
      entries += 1
      bytes += value.length
    },
    LIGHT_BATCH_ROWS,
  )
  await run.writeCounters()
  await noteLosses(run, kv)
  await kv.write((rows) => {
    const before = readSequence(rows)
    const lost = before.newest === 0 && run.newestSequence > 0
    const newest = lost ? run.newestSequence + SAFE_GAP : Math.max(before.newest, run.newestSequence)
    const trimmed = lost ? (first === null ? newest : first - 1) : before.trimmed
    const newestAtMs = before.newestAtMs === 0 ? run.nowMs : before.newestAtMs
    writeSequence(rows, { newest, newestAtMs, feedEntries: entries, feedBytes: bytes, trimmed })
  })
}

/** Gives each history that lost entries one that says so, with numbers behind all others. */
async function noteLosses(run: RebuildRun, kv: KvStore): Promise<void> {
  run.sawSequence(kv.read(readSequence).newest)
  for (const { ownerKey, last, record } of run.lostHistory) {
    run.newestSequence += 1
    const sequence = run.newestSequence
    await kv.write((rows) => putLossEntry(rows, ownerKey, sequence, last, { ...record, atMs: run.nowMs }))
  }
}

/** Returns the row of an execution, in either kind of store, with an end that fits its state. */
export function withSoundEnd<State extends string, Row extends ExecutionFields<State>>(
  machine: StateMachine<State>,
  before: Row,
): Row {
  const { finishedAtMs, endReason, ...kept } = before
  return {
    ...kept,
    ...(endReason === undefined || !isSoundEndReason(machine, before) ? {} : { endReason }),
    ...(machine.terminal.has(before.state) ? { finishedAtMs: finishedAtMs ?? before.stateSinceMs } : {}),
  } as Row
}
