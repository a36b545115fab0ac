import type { KvSnapshot } from '../kv/contract.ts'
import { decodeId, decodeTuple } from '../kv/tuple.ts'
import { executionsOfJob } from '../rows/execution-rows.ts'
import { keysOf } from '../rows/scan.ts'
import { EXECUTION_MACHINE, LATE_COMPLETION, LATE_RETURN } from '../states/execution-state.ts'
import { JOB_MACHINE } from '../states/job-state.ts'
import { type ExecutionRow, findExecutionRow, type LoadedExecution } from './execution-row.ts'
import { loadJob } from './job-row.ts'

/** So many executions may have taken each other's place. */
const MOST_PREDECESSORS = 1_000

/** Tells whether what is reported is the end of work that was given up with its node. */
export function comesLate(
  snapshot: KvSnapshot,
  { state, endReason, jobId }: ExecutionRow,
  to: string | undefined,
): boolean {
  const late = LATE_COMPLETION
  return (
    state === late.from && endReason === late.endReason && to === late.to && endsByItself(snapshot, jobId)
  )
}

function endsByItself(snapshot: KvSnapshot, jobId: string): boolean {
  const { type } = loadJob(snapshot, jobId).row
  return type === 'batch' || type === 'ops'
}

/** Returns why work that was given up, and had been done all the same, counts no more; `null` where it does. */
export function lateRefusal(snapshot: KvSnapshot, execution: LoadedExecution): string | null {
  const ended = endOfJob(snapshot, execution)
  if (ended !== null) return ended
  for (const { id, row } of othersOf(snapshot, execution))
    if (row.state === 'Completed') return `${id} has done the same`
  return null
}

/** Tells whether what was given up with its node, and goes on there in some state, is still wanted there. */
export function mayReturn(snapshot: KvSnapshot, execution: LoadedExecution, to: string | undefined): boolean {
  const { state, endReason } = execution.row
  if (state !== LATE_RETURN.from || endReason !== LATE_RETURN.endReason) return false
  if (!LATE_RETURN.to.some((one) => one === to) || endOfJob(snapshot, execution) !== null) return false
  for (const { row } of othersOf(snapshot, execution))
    if (row.state === 'Completed' || !EXECUTION_MACHINE.terminal.has(row.state)) return false
  return true
}

function endOfJob(snapshot: KvSnapshot, { row }: LoadedExecution): string | null {
  const { state, version } = loadJob(snapshot, row.jobId).row
  if (JOB_MACHINE.terminal.has(state)) return `its job is ${state}`
  return version === row.jobVersion ? null : 'its job has a newer version'
}

/** The other executions of the same share. */
function* othersOf(snapshot: KvSnapshot, { id, row }: LoadedExecution): Generator<LoadedExecution> {
  for (const key of keysOf(snapshot, 'index', executionsOfJob(row.jobId))) {
    const other = findExecutionRow(snapshot, decodeId('e', decodeTuple(key).at(-1)))
    if (other !== undefined && other.id !== id && isSameShare(other.row, row)) yield other
  }
}

function isSameShare(a: ExecutionRow, b: ExecutionRow): boolean {
  if (a.jobVersion !== b.jobVersion) return false
  // A share without a number is that of its node.
  return a.partition === undefined
    ? b.partition === undefined && a.nodeId === b.nodeId
    : a.partition === b.partition
}

/**
 * Returns the execution in whose place another one was put, and that had completed late; `null` where there is none.
 */
export function completedBefore(snapshot: KvSnapshot, row: ExecutionRow): string | null {
  if (row.previousExecutionId === undefined || !endsByItself(snapshot, row.jobId)) return null
  return predecessor(snapshot, row, ({ state }) => state === 'Completed')
}

/**
 * Returns the execution in whose place another one would be put although it was taken back, or never given up; `null`
 * where there is none.
 */
export function wantedBefore(
  snapshot: KvSnapshot,
  execution: Pick<ExecutionRow, 'previousExecutionId' | 'jobId'>,
): string | null {
  return predecessor(
    snapshot,
    execution,
    ({ jobId, state, desiredState }) =>
      jobId === execution.jobId && !EXECUTION_MACHINE.terminal.has(state) && desiredState !== 'Stopped',
  )
}

function predecessor(
  snapshot: KvSnapshot,
  { previousExecutionId }: Pick<ExecutionRow, 'previousExecutionId'>,
  isOne: (row: ExecutionRow) => boolean,
): string | null {
  let id = previousExecutionId
  for (let count = 0; id !== undefined && count < MOST_PREDECESSORS; count += 1) {
    const row = findExecutionRow(snapshot, id)?.row
    if (row !== undefined && isOne(row)) return id
    id = row?.previousExecutionId
  }
  return null
}
