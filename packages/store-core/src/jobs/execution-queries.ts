import { requireOptionalFlag, requireOptionalText } from '../arguments/argument-types.ts'
import { checkChoices, checkOptionalChoice, checkOptionalInteger } from '../arguments/limits.ts'
import type { ExecutionQuery } from '../contract/executions.ts'
import type { KvSnapshot } from '../kv/contract.ts'
import { decodeId, decodeTuple, tuple } from '../kv/tuple.ts'
import { EVALUATION_STATUSES, type Evaluation, type EvaluationStatus } from '../model/evaluation.ts'
import type { Execution } from '../model/execution.ts'
import { executionsOfJob } from '../rows/execution-rows.ts'
import type { Listing } from '../rows/pager.ts'
import { matchShortId } from '../rows/short-id.ts'
import { INDEX } from '../rows/tables.ts'
import { EXECUTION_MACHINE, EXECUTION_STATES, type ExecutionState } from '../states/execution-state.ts'
import { evaluationsOfJob, evaluationTable, findEvaluation, toEvaluation } from './evaluation-row.ts'
import { executionRows, findExecutionRow, isReclaimed, loadExecution, toExecution } from './execution-row.ts'

/** Finds an execution by id or short id. Throws `EXECUTION_NOT_FOUND`, `AMBIGUOUS_ID`. */
export function findExecution(snapshot: KvSnapshot, text: string, aheadMs: number): Execution {
  const exact = findExecutionRow(snapshot, text)
  if (exact !== undefined) return toExecution(exact.id, exact.row, aheadMs)
  const [match] = matchShortId(snapshot, 'executions', 'e', text)
  const { id, row } = loadExecution(snapshot, match ?? text)
  return toExecution(id, row, aheadMs)
}

/**
 * The listing of executions that a query asks for. Throws `INVALID_ARGUMENT`, and `TypeError` also where it has no
 * condition.
 */
export function executionListing(
  snapshot: KvSnapshot,
  query: ExecutionQuery,
  aheadMs: number,
): Listing<Execution> {
  const { limit: _limit, cursor: _cursor, reverse: _reverse, ...conditions } = query
  checkOptionalInteger('job version', query.jobVersion, 1)
  requireOptionalText('node id', query.nodeId)
  checkChoices('state', query.states, EXECUTION_STATES)
  requireOptionalFlag('inProgress', query.inProgress)
  const states = new Set(
    (query.states ?? EXECUTION_STATES).filter(
      (state) => query.inProgress !== true || !EXECUTION_MACHINE.terminal.has(state),
    ),
  )
  return {
    table: 'index',
    prefixes: chooseStretches(query, states),
    query: ['executions', conditions],
    idOf: (key) => decodeId('e', decodeTuple(key).at(-1)),
    load: (key) => {
      const execution = findExecutionRow(snapshot, decodeId('e', decodeTuple(key).at(-1)))
      if (execution === undefined) return undefined
      const { id, row } = execution
      const fits =
        states.has(row.state) &&
        (query.jobId === undefined || row.jobId === query.jobId) &&
        (query.jobVersion === undefined || row.jobVersion === query.jobVersion) &&
        (query.nodeId === undefined || row.nodeId === query.nodeId)
      return fits ? toExecution(id, row, aheadMs) : undefined
    },
  }
}

function chooseStretches(query: ExecutionQuery, states: ReadonlySet<ExecutionState>): readonly Uint8Array[] {
  const { jobId, nodeId, inProgress } = query
  if (jobId !== undefined) return [executionsOfJob(jobId)]
  if (nodeId !== undefined && inProgress !== true && query.states?.length !== 1) {
    return [tuple(INDEX.executionByNode, nodeId)]
  }
  if (inProgress === true || query.states !== undefined)
    return [...states].map((state) => executionRows.statePrefix(state))
  throw new TypeError('listExecutions needs a job, a node, states or inProgress')
}

/**
 * The listing of a job's evaluations by their age, or of all by their ids. Throws `TypeError` or `INVALID_ARGUMENT`.
 */
export function evaluationListing(
  snapshot: KvSnapshot,
  query: { readonly jobId?: string; readonly status?: EvaluationStatus },
  aheadMs: number,
): Listing<Evaluation> {
  const { jobId, status } = query
  checkOptionalChoice('status of an evaluation', status, EVALUATION_STATUSES)
  const wanted = (evaluation: Evaluation) =>
    status === undefined || evaluation.status === status ? evaluation : undefined
  if (jobId !== undefined) {
    return {
      table: 'index',
      prefixes: [evaluationsOfJob(jobId)],
      query: ['evaluations', jobId, status],
      idOf: (key) => decodeId('v', decodeTuple(key).at(-1)),
      load: (key) => {
        const found = findEvaluation(snapshot, decodeId('v', decodeTuple(key).at(-1)))
        if (found === undefined || isReclaimed(snapshot, found.row)) return undefined
        return wanted(toEvaluation(found.id, found.row, aheadMs))
      },
    }
  }
  return {
    table: 'evaluations',
    prefixes: [new Uint8Array(0)],
    query: ['evaluations', status],
    idOf: (key) => decodeId('v', decodeTuple(key)[0]),
    load: (key, value) => {
      const row = evaluationTable.decode(key, value)
      if (isReclaimed(snapshot, row)) return undefined
      return wanted(toEvaluation(decodeId('v', decodeTuple(key)[0]), row, aheadMs))
    },
  }
}
