import { checkExecutionState } from '../check/check-execution-state.ts'
import { checkOwner } from '../check/check-owner.ts'
import { type CheckedRecord, type CheckedStore, type CheckPlan, checkStore } from '../check/check-store.ts'
import type { Findings } from '../check/findings.ts'
import { HistoryRules } from '../check/history-rules.ts'
import type { KvRow, KvSnapshot } from '../kv/contract.ts'
import { decodeId, decodeTuple } from '../kv/tuple.ts'
import type { CheckOptions, CheckReport } from '../model/check-report.ts'
import { executionKey } from '../rows/execution-rows.ts'
import { historyTable, toHistoryEntry } from '../rows/history.ts'
import { reclaimTable } from '../rows/reclaim.ts'
import { INDEX } from '../rows/tables.ts'
import { COMPUTE_MACHINE } from '../states/compute-state.ts'
import { computeRows, computeTable, executionJobTable, readComputeState } from './compute-row.ts'

/** Checks every rule of an execution store. */
export async function checkExecutionStore(store: CheckedStore, options: CheckOptions): Promise<CheckReport> {
  return await checkStore(store, planOfExecutions(), options)
}

function planOfExecutions(): CheckPlan {
  const rules = new HistoryRules(readComputeState)
  return {
    records: [{ table: 'executions', kind: 'execution' }],
    keyOf: (_kind, id) => executionKey(id),
    ownerOf: ({ key }) => {
      const parts = decodeTuple(key)
      const index = Number(parts[0])
      if (index === INDEX.requestByTime) return { kind: 'request', id: String(parts[2]) }
      const known: readonly number[] = [INDEX.executionByJob, INDEX.executionByState, INDEX.deadline]
      return known.includes(index) ? { kind: 'execution', id: decodeId('e', parts.at(-1)) } : null
    },
    record: (_kind, row, snapshot, findings) => checkedCompute(row, snapshot, findings),
    tables: [
      { table: 'specs', visit: visitJob },
      {
        table: 'history',
        visit: (row, snapshot, findings) => visitHistory(row, snapshot, findings, rules),
        end: (snapshot, findings) => rules.end(snapshot, findings),
      },
      { table: 'reclaim', visit: ({ key, value }) => void reclaimTable.decode(key, value) },
    ],
  }
}

function checkedCompute({ key, value }: KvRow, snapshot: KvSnapshot, findings: Findings): CheckedRecord {
  const row = computeTable.decode(key, value)
  const id = decodeId('e', decodeTuple(key)[0])
  const job = executionJobTable.load(snapshot, key)
  if (job === undefined)
    findings.add('spec-missing', 'specs', key, id, `the job of execution ${id} is missing`)
  else if (job.bytes !== row.jobBytes) {
    findings.add(
      'spec-bytes-wrong',
      'executions',
      key,
      id,
      `execution ${id} says ${row.jobBytes} bytes of job, it has ${job.bytes}`,
    )
  }
  if (job !== undefined && job.record.version !== row.jobVersion) {
    findings.add(
      'job-version-wrong',
      'executions',
      key,
      id,
      `execution ${id} names version ${row.jobVersion} of its job, it has version ${job.record.version}`,
    )
  }
  checkExecutionState(findings, COMPUTE_MACHINE, key, id, row)
  return {
    kind: 'execution',
    id,
    namespace: row.namespace,
    state: row.state,
    bytes: value.length + row.jobBytes,
    indexes: computeRows.indexRows({ id, key, row }),
    counted: true,
  }
}

function visitJob({ key, value }: KvRow, snapshot: KvSnapshot, findings: Findings): void {
  executionJobTable.decode(key, value)
  checkOwner('execution', 'specs', key, snapshot, findings)
}

function visitHistory(row: KvRow, snapshot: KvSnapshot, findings: Findings, rules: HistoryRules): void {
  const { key, value } = row
  const decoded = historyTable.decode(key, value)
  const owner = checkOwner('execution', 'history', key, snapshot, findings)
  if (owner === null) return
  const { id } = owner
  const entry = toHistoryEntry({ jobId: '', executionId: id }, key, decoded)
  const step = { row, entry, subject: id, afterLoss: decoded.isLoss === true }
  rules.visit(step, owner.key, COMPUTE_MACHINE, snapshot, findings)
}
