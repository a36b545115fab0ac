import { requireJson, requireList, requireObject, requireText } from '../arguments/argument-types.ts'
import {
  checkChoice,
  checkInteger,
  checkOptionalInteger,
  checkPartition,
  checkPriority,
  checkText,
  checkTime,
  invalid,
} from '../arguments/limits.ts'
import { stepProblems } from '../check/history-rules.ts'
import type { ImportJob } from '../contract/jobs.ts'
import { EVALUATION_STATUSES, EVALUATION_TRIGGERS, type Evaluation } from '../model/evaluation.ts'
import type { Execution } from '../model/execution.ts'
import type { HistoryEntry } from '../model/history.ts'
import { checkId } from '../model/id.ts'
import { JOB_TYPES, type Job } from '../model/job.ts'
import type { WholeJob } from '../model/whole-job.ts'
import { isLoss, type RecordState } from '../rows/history.ts'
import { checkEndReason } from '../states/end-reason.ts'
import { DESIRED_STATES, EXECUTION_MACHINE } from '../states/execution-state.ts'
import { JOB_MACHINE } from '../states/job-state.ts'
import type { StateMachine } from '../states/transitions.ts'
import { checkDefinition } from './submit-job.ts'

/**
 * Checks a job that comes from another place, field by field, since it is written as it is and `check` must find
 * nothing afterwards. Returns its newest version. Throws `TypeError` or `INVALID_ARGUMENT`.
 */
export function checkImportedJob(request: ImportJob): Job {
  const newest = checkWholeJob(request)
  const ended = [newest, ...request.executions].find(({ finishedAtMs }) => finishedAtMs === null)
  if (ended !== undefined) {
    throw invalid(`${ended.id} is ${ended.state}; only a job that has ended can be imported`)
  }
  if (request.hold !== undefined) checkText('reason', request.hold)
  return newest
}

/** Checks a job from another place likewise, which may be in progress. Throws `TypeError` or `INVALID_ARGUMENT`. */
export function checkWholeJob(job: WholeJob): Job {
  requireObject('job to be imported', job)
  const { versions, executions, evaluations, history } = job
  for (const [part, records] of Object.entries({ versions, executions, evaluations, history })) {
    requireList(`list of ${part}`, records)
    for (const record of records) requireObject(`record in the list of ${part}`, record)
  }
  const newest = checkVersions(versions)
  for (const [index, execution] of executions.entries())
    checkExecution(execution, newest, `executions[${index}]`)
  for (const evaluation of evaluations) checkEvaluation(evaluation, newest)
  refuseTwice('execution', executions)
  refuseTwice('evaluation', evaluations)
  checkHistory(history, newest, executions)
  return newest
}

/** Checks the versions of a job, oldest first. Returns the newest. Throws `TypeError` or `INVALID_ARGUMENT`. */
export function checkVersions(versions: readonly Job[]): Job {
  const newest = versions.at(-1)
  if (newest === undefined) throw invalid('a job without versions cannot be imported')
  checkNewest(newest)
  for (const [index, version] of versions.entries()) checkVersion(version, index + 1, newest)
  return newest
}

function checkNewest(job: Job): void {
  const { id, state, finishedAtMs } = job
  checkId('job', id)
  checkText('namespace', job.namespace)
  checkChoice('job type', job.type, JOB_TYPES)
  checkChoice('job state', state, JOB_MACHINE.states)
  if (JOB_MACHINE.terminal.has(state) !== (typeof finishedAtMs === 'number')) {
    throw invalid(`job ${id} is ${state}, and its end is ${finishedAtMs ?? 'not set'}`)
  }
  requireText(`message of job ${id}`, job.stateMessage)
  checkTimes(`job ${id}`, job)
  checkTime(`deadline of job ${id}`, job.deadlineAtMs)
  checkInteger(`revision of job ${id}`, job.revision, 1)
  if (job.submitKey !== null) checkText('submit key', job.submitKey)
  if (job.hold !== null) checkText('reason', job.hold)
}

function checkVersion(version: Job, number: number, newest: Job): void {
  const { id, namespace } = newest
  if (version.id !== id || version.version !== number || version.namespace !== namespace) {
    throw invalid(`the versions of job ${id} are not all there, or not all of one job in one namespace`)
  }
  checkText('name', version.name)
  checkDefinition(version)
  requireJson(`versions[${number - 1}].spec`, version.spec)
  checkInteger(`time of version ${number} of job ${id}`, version.createdAtMs, 0)
}

/** Checks an execution of a job; `path` names it where its own words are no JSON. Throws likewise. */
export function checkExecution(execution: Execution, job: Job, path: string): void {
  const { id, state, finishedAtMs } = execution
  checkId('execution', id)
  requireJob(execution, job)
  const what = `execution ${id}`
  checkChoice('execution state', state, EXECUTION_MACHINE.states)
  if (EXECUTION_MACHINE.terminal.has(state) !== (typeof finishedAtMs === 'number')) {
    throw invalid(`${what} is ${state}, and its end is ${finishedAtMs ?? 'not set'}`)
  }
  checkTimes(what, execution)
  // Archives of earlier releases have none.
  checkEndReason(EXECUTION_MACHINE, state, execution.endReason ?? undefined)
  checkInteger(`job version of ${what}`, execution.jobVersion, 1, job.version)
  checkInteger(`revision of ${what}`, execution.revision, 1)
  checkInteger(`compute revision of ${what}`, execution.computeRevision, 0)
  checkPartition(execution.partition)
  checkText('node id', execution.nodeId)
  checkChoice('desired state', execution.desiredState, DESIRED_STATES)
  requireText(`message of ${what}`, execution.stateMessage)
  requireText(`desired message of ${what}`, execution.desiredMessage)
  if (execution.evaluationId !== null) requireText(`evaluation of ${what}`, execution.evaluationId)
  if (execution.previousExecutionId !== null)
    requireText(`execution before ${what}`, execution.previousExecutionId)
  checkOptionalInteger(`ends before ${what}`, execution.endsBefore as number | undefined, 0)
  requireJson(`${path}.resources`, execution.resources)
  requireJson(`${path}.publishedResult`, execution.publishedResult)
  requireJson(`${path}.runOutput`, execution.runOutput)
}

/** Checks an evaluation of a job. Throws likewise. */
export function checkEvaluation(evaluation: Evaluation, job: Job): void {
  const { id } = evaluation
  checkId('evaluation', id)
  requireJob(evaluation, job)
  const what = `evaluation ${id}`
  checkChoice('status of an evaluation', evaluation.status, EVALUATION_STATUSES)
  checkChoice('trigger of an evaluation', evaluation.trigger, EVALUATION_TRIGGERS)
  checkChoice('job type', evaluation.jobType, JOB_TYPES)
  checkPriority(evaluation.priority)
  requireText(`comment of ${what}`, evaluation.comment)
  checkInteger(`attempt of ${what}`, evaluation.attempt, 0)
  // Archives of earlier releases have none.
  checkOptionalInteger(`lost leases of ${what}`, evaluation.lostLeases as number | undefined, 0)
  checkInteger(`sequence number of ${what}`, evaluation.sequence, 1)
  checkInteger(`due time of ${what}`, evaluation.dueAtMs, 0)
  checkInteger(`time of creation of ${what}`, evaluation.createdAtMs, 0)
  checkInteger(`time of change of ${what}`, evaluation.modifiedAtMs, 0)
}

function checkHistory(history: readonly HistoryEntry[], job: Job, executions: readonly Execution[]): void {
  const followed = new FollowedHistory(job)
  for (const [index, entry] of history.entries()) followed.check(entry, `history[${index}]`)
  for (const record of [job, ...executions]) followed.checkEnd(record)
}

/** Follows the history of a job and of its executions as the check of a store does, up to where each stands. */
export class FollowedHistory {
  readonly #job: Job
  readonly #newest = new Map<string, RecordState>()
  #last = 0

  constructor(job: Job) {
    this.#job = job
  }

  /** Checks the next entry; one that is refused counts as not there. Throws `TypeError` or `INVALID_ARGUMENT`. */
  check(entry: HistoryEntry, path: string): void {
    const job = this.#job
    checkEntry(entry, job)
    requireJson(`${path}.event.details`, entry.event.details)
    const { executionId, sequence, newState: state, revision } = entry
    if (sequence <= this.#last)
      throw invalid(`the history of job ${job.id} is not in the order of its numbers`)
    const subject = executionId ?? job.id
    const machine: StateMachine<string> = executionId === null ? JOB_MACHINE : EXECUTION_MACHINE
    const [problem] = stepProblems(
      entry,
      this.#newest.get(subject),
      entry.afterGap === true || isLoss(entry.event),
      machine,
    )
    if (problem !== undefined) throw invalid(`in the history of ${subject} ${problem.message}`)
    this.#last = sequence
    this.#newest.set(subject, { state, revision })
  }

  /** Checks that the history of a record ends where it stands. Throws `INVALID_ARGUMENT`. */
  checkEnd({ id, state, revision }: Pick<Job | Execution, 'id' | 'state' | 'revision'>): void {
    const end = this.#newest.get(id)
    if (end === undefined || (end.state === state && end.revision === revision)) return
    throw invalid(
      `the history of ${id} ends at revision ${end.revision} in ${end.state}, the record is at revision ${revision} in ${state}`,
    )
  }
}

function checkEntry(entry: HistoryEntry, job: Job): void {
  requireJob(entry, job)
  const { sequence, executionId, nodeId, previousState, event } = entry
  checkInteger('sequence number of a history entry', sequence, 1)
  const what = `history entry ${sequence}`
  checkInteger(`time of ${what}`, entry.atMs, 0)
  checkInteger(`job version of ${what}`, entry.jobVersion, 1)
  checkInteger(`revision of ${what}`, entry.revision, 1)
  if (executionId !== null) checkId('execution', executionId)
  if (nodeId !== null) requireText(`node id of ${what}`, nodeId)
  if (previousState !== null) requireText(`state before ${what}`, previousState)
  requireText(`state after ${what}`, entry.newState)
  requireObject(`event of ${what}`, event)
  requireText(`message of ${what}`, event.message)
  requireText(`topic of ${what}`, event.topic)
  requireObject(`details of ${what}`, event.details)
  for (const value of Object.values(event.details)) requireText(`detail of ${what}`, value)
}

function requireJob({ jobId }: { readonly jobId: string }, { id }: Job): void {
  if (jobId !== id) throw invalid(`not every record belongs to job ${id}`)
}

function checkTimes(
  what: string,
  times: {
    readonly stateSinceMs: number
    readonly createdAtMs: number
    readonly modifiedAtMs: number
    readonly finishedAtMs: number | null
  },
): void {
  checkInteger(`time of the state of ${what}`, times.stateSinceMs, 0)
  checkInteger(`time of creation of ${what}`, times.createdAtMs, 0)
  checkInteger(`time of change of ${what}`, times.modifiedAtMs, 0)
  checkOptionalInteger(`time of the end of ${what}`, times.finishedAtMs ?? undefined, 0)
}

function refuseTwice(kind: string, records: readonly { readonly id: string }[]): void {
  const seen = new Set<string>()
  for (const { id } of records) {
    if (seen.has(id)) throw invalid(`${kind} ${id} is there twice`)
    seen.add(id)
  }
}
