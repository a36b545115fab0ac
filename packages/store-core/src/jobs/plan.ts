import { requireList, requireObject } from '../arguments/argument-types.ts'
import { invalid } from '../arguments/limits.ts'
import type { Plan } from '../contract/evaluations.ts'
import type { NewExecution } from '../contract/executions.ts'
import { StoreError } from '../errors.ts'
import type { Mutation } from '../rows/mutation.ts'
import { createExecution, updateExecution } from './change-execution.ts'
import { moveJob, recordJobEvent } from './change-job.ts'
import { enqueueEvaluation } from './evaluation-queue.ts'
import { loadJob } from './job-row.ts'
import { wantedBefore } from './late-completion.ts'
import { completeEvaluation } from './lease.ts'

/** The most executions that one plan creates; the rest belongs into a follow-up evaluation. */
const MAX_PLAN_EXECUTIONS: number = 100

/** What a plan made. */
export interface AppliedPlan {
  readonly executionIds: readonly string[]
  readonly evaluationIds: readonly string[]
}

/** Writes a plan and completes the evaluation that caused it. */
export function applyPlan(mutation: Mutation, plan: Plan): AppliedPlan {
  const { newExecutions = [], updates = [], followUps = [], events = [], lease } = plan
  for (const [part, list] of Object.entries({ newExecutions, updates, followUps, events })) {
    requireList(`${part} of a plan`, list)
  }
  if (newExecutions.length > MAX_PLAN_EXECUTIONS) {
    throw invalid(
      `the plan creates ${newExecutions.length} executions, at most ${MAX_PLAN_EXECUTIONS} are allowed`,
      'leave the rest to a follow-up evaluation',
    )
  }
  const jobId = completeEvaluation(mutation, lease, 'complete', plan.comment).row.jobId
  const before = loadJob(mutation.rows, jobId)
  const job = plan.job === undefined ? before : moveJob(mutation, before, plan.job)
  for (const event of events) recordJobEvent(mutation, job, job.row.state, event)
  for (const update of updates) {
    requireObject('update of a plan', update)
    const changed = updateExecution(mutation, update)
    if (changed.row.jobId !== jobId) throw foreign(update.executionId, jobId)
  }
  const executionIds = newExecutions.map((request) => {
    requireObject('new execution of a plan', request)
    if (request.jobId !== jobId) throw foreign(request.id ?? 'to be created', jobId)
    const { id } = createExecution(mutation, job, { evaluationId: lease.evaluationId, ...request })
    refuseSecond(mutation, request)
    return id
  })
  const evaluationIds = followUps.map((request) => enqueueEvaluation(mutation, job, request))
  return { executionIds, evaluationIds }
}

/** What was given up with its node may have been taken back since the plan was made: then its share is being done. */
function refuseSecond({ rows }: Mutation, request: NewExecution): void {
  const id = wantedBefore(rows, request)
  if (id === null) return
  throw new StoreError('STATE_CONFLICT', `execution ${id} goes on, so that no other may take its place`, {
    id,
    hint: 'read it again and decide anew',
  })
}

function foreign(executionId: string, jobId: string) {
  return invalid(`execution ${executionId} of the plan is not one of job ${jobId}`)
}
