import type { FoldPlan } from '../fold/fold-step.ts'
import { isLoose } from '../fold/folded-record.ts'
import { keyBehindTime, layoutOf } from '../fold/layout.ts'
import type { KvRow, KvSnapshot } from '../kv/contract.ts'
import { decodeIdTuple, endOfTuple, tuple } from '../kv/tuple.ts'
import { readCounters } from '../rows/counters.ts'
import { INDEX } from '../rows/tables.ts'
import { EXECUTION_MACHINE } from '../states/execution-state.ts'
import { JOB_MACHINE, type JobState } from '../states/job-state.ts'
import { headKey } from './evaluation-row.ts'
import { executionTable } from './execution-row.ts'
import { hasEnded, jobTable } from './job-row.ts'

const MAX_EXECUTIONS = 401

/** How the jobs of a job store are folded: those that have ended, with nothing going on about them. */
export const FOLD_JOBS: FoldPlan = {
  layout: layoutOf('jobs'),
  stretches: (snapshot) =>
    readCounters(snapshot, 'job')
      .counts.filter(({ state }) => JOB_MACHINE.terminal.has(state as JobState))
      .map(({ namespace, state }) => tuple(INDEX.jobFinished, namespace, state)),
  members: executionsOf,
}

function executionsOf(snapshot: KvSnapshot, { key, value }: KvRow): Uint8Array[] | null {
  if (!isLoose(value) || !hasEnded(jobTable.decode(key, value))) return null
  if (snapshot.get('index', headKey(decodeIdTuple('j', key))) !== undefined) return null
  const prefix = tuple(INDEX.executionByJob, key)
  const keys = snapshot
    .keys('index', { gte: prefix, lt: endOfTuple(prefix), limit: MAX_EXECUTIONS })
    .map((indexKey) => keyBehindTime(indexKey, prefix))
  const areOver = keys.every((executionKey) => {
    const state = executionTable.get(snapshot, executionKey)?.state
    return state !== undefined && EXECUTION_MACHINE.terminal.has(state)
  })
  return areOver ? keys : null
}
