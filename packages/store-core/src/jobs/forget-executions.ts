import { requireList } from '../arguments/argument-types.ts'
import { invalid } from '../arguments/limits.ts'
import type { ForgetExecutions } from '../contract/executions.ts'
import { decodeTuple, tuple } from '../kv/tuple.ts'
import type { HistoryEntry } from '../model/history.ts'
import { givenUpBefore, historyTable, putGivenUpEntry, toHistoryEntry } from '../rows/history.ts'
import type { Mutation } from '../rows/mutation.ts'
import { orUndamaged } from '../rows/quarantine.ts'
import { rowsOf } from '../rows/scan.ts'
import { EXECUTION_MACHINE } from '../states/execution-state.ts'
import { executionRows, findExecutionRow, type LoadedExecution } from './execution-row.ts'
import { hasEnded, type LoadedJob, loadJob } from './job-row.ts'

/** So many go at most in one step, so that it fits into a transaction with their history. */
const MAX_FORGOTTEN = 50
/** So many entries of a history are looked at, from its beginning on. */
const MAX_ENTRIES = 2_000

const ENDS: ReadonlySet<string> = EXECUTION_MACHINE.terminal

interface Visited {
  readonly key: Uint8Array
  readonly entry: HistoryEntry
}

/**
 * Removes executions that have ended from a job that goes on, with their history, and what was said of the job until
 * then but for its beginning; one entry in their place tells how many went so far. Returns the ids of those that went:
 * none of a job that has ended, and none whose history lies too far behind its beginning.
 */
export function forgetExecutions(
  mutation: Mutation,
  { jobId, executionIds }: ForgetExecutions,
): readonly string[] {
  requireList('executionIds', executionIds)
  if (executionIds.length > MAX_FORGOTTEN) {
    throw invalid(
      `${executionIds.length} executions are to be forgotten, at most ${MAX_FORGOTTEN} are at a time`,
    )
  }
  const job = loadJob(mutation.rows, jobId)
  const ended = endedOnes(mutation, job, executionIds)
  if (hasEnded(job.row) || ended.size === 0) return []
  const { visited, isWhole } = visit(mutation, job)
  const over = new Set(visited.flatMap(({ entry }) => (ENDS.has(entry.newState) ? [entry.executionId] : [])))
  const gone = [...ended.values()].filter(({ id }) => isWhole || over.has(id))
  for (const execution of gone) remove(mutation, execution)
  const ids = new Set(gone.map(({ id }) => id))
  shorten(mutation, job, visited, ids)
  return [...ids]
}

function endedOnes(
  mutation: Mutation,
  job: LoadedJob,
  executionIds: readonly string[],
): ReadonlyMap<string, LoadedExecution> {
  const found = new Map<string, LoadedExecution>()
  for (const id of executionIds) {
    const execution = findExecutionRow(mutation.rows, id)
    if (execution === undefined) continue
    const { jobId, state } = execution.row
    if (jobId !== job.id) throw invalid(`execution ${id} is not one of job ${job.id}`)
    if (!ENDS.has(state)) throw invalid(`execution ${id} is ${state}; it has not ended`)
    found.set(id, execution)
  }
  return found
}

/** Reads a job's history from its beginning on. What is damaged is left to `check` and `repair`. */
function visit(mutation: Mutation, job: LoadedJob): { visited: readonly Visited[]; isWhole: boolean } {
  const visited: Visited[] = []
  for (const { key, value } of rowsOf(mutation.rows, 'history', job.key)) {
    if (visited.length >= MAX_ENTRIES) return { visited, isWhole: false }
    const entry = orUndamaged(() => toHistoryEntry({ jobId: job.id }, key, historyTable.decode(key, value)))
    if (entry !== undefined) visited.push({ key, entry })
  }
  return { visited, isWhole: true }
}

function remove(mutation: Mutation, execution: LoadedExecution): void {
  const { id, key, row, bytes } = execution
  mutation.rows.remove('executions', key)
  for (const index of executionRows.indexRows(execution)) mutation.removeIndex(index.key)
  mutation.count('execution', row.namespace, row.state, -1, -bytes)
  executionRows.announce(mutation, id, row, row.state, null)
}

/** Takes entries of executions out of a job's history, and what was said of the job up to the last of them. */
function shorten(
  mutation: Mutation,
  job: LoadedJob,
  visited: readonly Visited[],
  ids: ReadonlySet<string>,
): void {
  const last = visited.findLast(({ entry }) => entry.executionId !== null && ids.has(entry.executionId))
  if (last === undefined) return
  const [first, ...others] = visited.filter(({ entry }) => entry.executionId === null)
  const said = others.filter(({ entry }) => entry.sequence < last.entry.sequence)
  const ofExecutions = visited.filter(({ entry }) => entry.executionId !== null && ids.has(entry.executionId))
  for (const { key } of [...said, ...ofExecutions]) mutation.rows.remove('history', key)
  const before = first?.entry
  if (before === undefined || before.sequence > last.entry.sequence) return
  const total = said.reduce((sum, { entry }) => sum + givenUpBefore(entry.event), ids.size)
  const { newState, revision, jobVersion } = said.at(-1)?.entry ?? before
  putGivenUpEntry(mutation.rows, tuple(job.key, Number(decodeTuple(last.key).at(-1))), total, {
    ...before,
    previousState: before.newState,
    newState,
    revision,
    jobVersion,
    atMs: last.entry.atMs,
  })
}
