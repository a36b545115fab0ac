import { bringForward } from '../jobs/evaluation-queue.ts'
import {
  type EvaluationRow,
  endedKey,
  evaluationOfJobKey,
  evaluationTable,
  headKey,
  leasedKey,
  parkedDueKey,
  parkedLaterKey,
  sideKeys,
  waitingKey,
} from '../jobs/evaluation-row.ts'
import { executionRows, executionTable, isReclaimed, readRecordState } from '../jobs/execution-row.ts'
import {
  hasEnded,
  type JobRow,
  jobIndexRows,
  jobKey,
  jobTable,
  type SpecRow,
  specKey,
  specTable,
} from '../jobs/job-row.ts'
import { nodeIndexRows, nodeTable } from '../jobs/node-row.ts'
import type { KvRow, KvTransaction } from '../kv/contract.ts'
import { decodeId, decodeTuple } from '../kv/tuple.ts'
import { NODE_MEMBERSHIPS, NODE_SCHEDULINGS } from '../model/node.ts'
import { steadyMoment } from '../rows/clock-row.ts'
import { historyTable, toHistoryEntry } from '../rows/history.ts'
import { Mutation } from '../rows/mutation.ts'
import { findOwner } from '../rows/owner.ts'
import { EXECUTION_MACHINE } from '../states/execution-state.ts'
import { JOB_MACHINE } from '../states/job-state.ts'
import type { StateMachine } from '../states/transitions.ts'
import { HistoryFilter } from './rebuild-history.ts'
import type { RebuildRun } from './rebuild-run.ts'
import { withSoundEnd } from './rebuild-shared.ts'

const EMPTY = new Uint8Array(0)

/** Rebuilds everything that follows from the records of a job store. */
export async function rebuildJobs(run: RebuildRun): Promise<void> {
  await run.each('jobs', (row, rows) => rebuildJob(run, row, rows))
  await run.each('specs', (row, rows) => {
    specTable.decode(row.key, row.value)
    if (findOwner(rows, 'job', row.key).is === 'missing')
      run.drop(rows, 'specs', row, '', 'its job is not there')
  })
  await run.each('executions', (row, rows) => rebuildExecution(run, row, rows))
  await run.each('evaluations', (row, rows) => rebuildEvaluation(run, row, rows))
  await leadParked(run)
  await run.each('nodes', (row, rows) => rebuildNode(run, row, rows))
  const filter = new HistoryFilter(run, readRecordState)
  await run.each('history', (row, rows) => {
    const decoded = historyTable.decode(row.key, row.value)
    const { id: jobId, key: ownerKey, is } = findOwner(rows, 'job', row.key)
    if (is === 'missing') {
      run.drop(rows, 'history', row, jobId, 'its job is not there')
      return
    }
    if (is === 'deleted') return
    const entry = toHistoryEntry({ jobId }, row.key, decoded)
    const machine: StateMachine<string> = entry.executionId === null ? JOB_MACHINE : EXECUTION_MACHINE
    const about = { subject: entry.executionId ?? jobId, afterLoss: decoded.isLoss === true }
    filter.visit(row, rows, entry, about, ownerKey, machine)
  })
  await run.once((rows) => filter.end(rows))
}

function rebuildJob(run: RebuildRun, found: KvRow, rows: KvTransaction): void {
  const { key } = found
  const id = decodeId('j', decodeTuple(key)[0])
  const before = jobTable.decode(key, found.value)
  const specs = specsOf(key, before, rows)
  const newest = specs?.at(-1)?.record
  if (specs === null || newest === undefined) {
    run.drop(rows, 'jobs', found, id, 'a version of it is missing or damaged')
    return
  }
  if (!JOB_MACHINE.states.includes(before.state)) {
    run.drop(rows, 'jobs', found, id, `it is in the unknown state ${String(before.state)}`)
    return
  }
  const { finishedAtMs, ...kept } = before
  const row: JobRow = {
    ...kept,
    specBytes: specs.reduce((sum, { bytes }) => sum + bytes, 0),
    ...(hasEnded(before) ? { finishedAtMs: finishedAtMs ?? before.stateSinceMs } : {}),
  }
  const bytes =
    row.specBytes === before.specBytes && row.finishedAtMs === finishedAtMs
      ? found.value.length
      : jobTable.put(rows, key, row)
  for (const index of jobIndexRows({ id, key, row }, newest)) rows.put('index', index.key, index.value)
  run.count('job', row.namespace, row.state, bytes + row.specBytes)
}

/** Returns all versions of a job with their sizes; `null` where one is missing or damaged. */
function specsOf(
  key: Uint8Array,
  row: JobRow,
  rows: KvTransaction,
): { readonly record: SpecRow; readonly bytes: number }[] | null {
  const specs: { record: SpecRow; bytes: number }[] = []
  for (let version = 1; version <= row.version; version++) {
    try {
      const found = specTable.load(rows, specKey(key, version))
      if (found === undefined) return null
      specs.push(found)
    } catch {
      return null
    }
  }
  return specs
}

function rebuildExecution(run: RebuildRun, found: KvRow, rows: KvTransaction): void {
  const { key } = found
  const id = decodeId('e', decodeTuple(key)[0])
  const before = executionTable.decode(key, found.value)
  const deleted = isReclaimed(rows, before)
  if (!deleted && rows.get('jobs', jobKey(before.jobId)) === undefined) {
    run.drop(rows, 'executions', found, id, `its job ${before.jobId} is not there`)
    return
  }
  if (!EXECUTION_MACHINE.states.includes(before.state)) {
    run.drop(rows, 'executions', found, id, `it is in the unknown state ${String(before.state)}`)
    return
  }
  const row = withSoundEnd(EXECUTION_MACHINE, before)
  const bytes =
    row.finishedAtMs === before.finishedAtMs && row.endReason === before.endReason
      ? found.value.length
      : executionTable.put(rows, key, row)
  // Those of a deleted job keep their index rows too: its removal finds them by these.
  for (const index of executionRows.indexRows({ id, key, row })) rows.put('index', index.key, index.value)
  if (!deleted) run.count('execution', row.namespace, row.state, bytes)
}

function rebuildEvaluation(run: RebuildRun, found: KvRow, rows: KvTransaction): void {
  const { key } = found
  const id = decodeId('v', decodeTuple(key)[0])
  const row = evaluationTable.decode(key, found.value)
  run.sawSequence(row.sequence)
  const deleted = isReclaimed(rows, row)
  if (!deleted && rows.get('jobs', jobKey(row.jobId)) === undefined) {
    run.drop(rows, 'evaluations', found, id, `its job ${row.jobId} is not there`)
    return
  }
  rows.put('index', evaluationOfJobKey({ key, row }), EMPTY)
  if (deleted) return
  const bytes = place(found, row, rows, steadyMoment(rows, run.nowMs).steadyMs)
  run.count('evaluation', row.namespace, row.status, bytes)
}

/** Puts an evaluation where its status belongs; those that are due are parked until {@link leadParked}. */
function place({ key, value }: KvRow, row: EvaluationRow, rows: KvTransaction, steadyMs: number): number {
  for (const index of sideKeys({ key, row })) rows.put('index', index, EMPTY)
  if (row.status !== 'pending') {
    rows.put('index', endedKey({ key, row }), EMPTY)
    return value.length
  }
  const head = rows.get('index', headKey(row.jobId))
  if (row.lease !== undefined && head === undefined) {
    rows.put('index', headKey(row.jobId), key)
    rows.put('index', leasedKey({ key }, row.lease.expiresSteadyMs), EMPTY)
    return value.length
  }
  const { lease, ...free } = row
  if (free.dueSteadyMs <= steadyMs) rows.put('index', parkedDueKey(free), key)
  else {
    rows.put('index', parkedLaterKey(free), key)
    rows.put('index', waitingKey(free), key)
  }
  return lease === undefined ? value.length : evaluationTable.put(rows, key, free)
}

function rebuildNode(run: RebuildRun, found: KvRow, rows: KvTransaction): void {
  const { key, value } = found
  const id = decodeId('n', decodeTuple(key)[0])
  const row = nodeTable.decode(key, value)
  if (!NODE_MEMBERSHIPS.includes(row.membership) || !NODE_SCHEDULINGS.includes(row.scheduling)) {
    run.drop(rows, 'nodes', found, id, 'it is in an unknown state')
    return
  }
  for (const index of nodeIndexRows(key, row)) rows.put('index', index.key, index.value)
  run.count('node', '', row.membership, value.length)
}

/** Brings one evaluation of every job to the head of its queue. */
async function leadParked(run: RebuildRun): Promise<void> {
  await run.each('evaluations', ({ key, value }, rows) => {
    const row = evaluationTable.decode(key, value)
    if (row.status !== 'pending' || isReclaimed(rows, row)) return
    if (rows.get('index', headKey(row.jobId)) !== undefined) return
    bringForward(new Mutation(rows, steadyMoment(rows, run.nowMs)), row.jobId)
  })
}
