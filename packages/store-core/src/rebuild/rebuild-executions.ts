import {
  type ComputeRow,
  computeRows,
  computeTable,
  executionJobTable,
  readComputeState,
} from '../executions/compute-row.ts'
import type { KvRow, KvTransaction } from '../kv/contract.ts'
import { decodeId, decodeTuple } from '../kv/tuple.ts'
import { historyTable, toHistoryEntry } from '../rows/history.ts'
import { findOwner } from '../rows/owner.ts'
import { COMPUTE_MACHINE } from '../states/compute-state.ts'
import { HistoryFilter } from './rebuild-history.ts'
import type { RebuildRun } from './rebuild-run.ts'
import { withSoundEnd } from './rebuild-shared.ts'

/** Rebuilds everything that follows from the records of an execution store. */
export async function rebuildExecutions(run: RebuildRun): Promise<void> {
  await run.each('executions', (row, rows) => rebuildExecution(run, row, rows))
  await run.each('specs', (row, rows) => {
    executionJobTable.decode(row.key, row.value)
    if (findOwner(rows, 'execution', row.key).is === 'missing')
      run.drop(rows, 'specs', row, '', 'its execution is not there')
  })
  const filter = new HistoryFilter(run, readComputeState)
  await run.each('history', (row, rows) => {
    const decoded = historyTable.decode(row.key, row.value)
    const { id, key: ownerKey, is } = findOwner(rows, 'execution', row.key)
    if (is === 'missing') {
      run.drop(rows, 'history', row, id, 'its execution is not there')
      return
    }
    if (is === 'deleted') return
    const entry = toHistoryEntry({ jobId: '', executionId: id }, row.key, decoded)
    const about = { subject: id, afterLoss: decoded.isLoss === true }
    filter.visit(row, rows, entry, about, ownerKey, COMPUTE_MACHINE)
  })
  await run.once((rows) => filter.end(rows))
}

function rebuildExecution(run: RebuildRun, found: KvRow, rows: KvTransaction): void {
  const { key } = found
  const id = decodeId('e', decodeTuple(key)[0])
  const before = computeTable.decode(key, found.value)
  const job = jobOf(key, rows)
  if (job === null || !COMPUTE_MACHINE.states.includes(before.state)) {
    const reason =
      job === null ? 'its job is missing or damaged' : `it is in the unknown state ${String(before.state)}`
    run.drop(rows, 'executions', found, id, reason)
    return
  }
  const row: ComputeRow = {
    ...withSoundEnd(COMPUTE_MACHINE, before),
    jobVersion: job.version,
    jobBytes: job.bytes,
  }
  const bytes =
    row.jobBytes === before.jobBytes &&
    row.jobVersion === before.jobVersion &&
    row.finishedAtMs === before.finishedAtMs &&
    row.endReason === before.endReason
      ? found.value.length
      : computeTable.put(rows, key, row)
  for (const index of computeRows.indexRows({ id, key, row })) rows.put('index', index.key, index.value)
  run.count('execution', row.namespace, row.state, bytes + row.jobBytes)
}

function jobOf(key: Uint8Array, rows: KvTransaction): { version: number; bytes: number } | null {
  try {
    const job = executionJobTable.load(rows, key)
    return job === undefined ? null : { version: job.record.version, bytes: job.bytes }
  } catch {
    return null
  }
}
