import {
  COMPUTE_MACHINE,
  type EndReason,
  EXECUTION_MACHINE,
  type Execution,
  type HistoryEntry,
  JOB_MACHINE,
  type Job,
  type WholeJob,
} from '@saltcod/store-core'
import type { JobSpec } from '../spec/job-spec.ts'
import type { Tell } from './note.ts'
import type { WholeComputeExecution } from './read-compute.ts'
import { tellerOf } from './read-job.ts'

/** What nodes can do; names in lower case. */
export interface Offers {
  readonly engines: readonly string[]
  readonly inputs: readonly string[]
  readonly publishers: readonly string[]
}

/** How a job that had not ended is taken over. */
export interface SettleOptions {
  readonly offers: Offers
  readonly nowMs: number
  readonly tell: Tell
}

const TOPIC = 'Import'

/**
 * Makes of a job as Bacalhau left it one that our node can go on with. An execution in progress ends as Failed, as
 * after a restart: whoever ran it is gone. A job in progress stays as it is and is scheduled anew when a node opens
 * the store, but for one that asks for what no node of ours has: it is Stopped, with the reason. Evaluations, whose
 * end Bacalhau never notes, are over.
 */
export function settleJob(
  whole: WholeJob<JobSpec>,
  { offers, nowMs, tell }: SettleOptions,
): WholeJob<JobSpec> {
  const newest = whole.versions.at(-1)
  if (newest === undefined) return whole
  const inProgress = !JOB_MACHINE.terminal.has(newest.state)
  const lack = inProgress ? lackOf(newest, offers) : null
  const history = new EndedHistory(whole.history, newest)
  const goesOn = inProgress && lack === null
  const end = goesOn
    ? ({ state: 'Failed', endReason: 'interrupted' } as const)
    : ({ state: 'Cancelled', endReason: 'stopped' } as const)
  const executions = whole.executions.map((execution) => {
    if (EXECUTION_MACHINE.terminal.has(execution.state)) return execution
    const message = `it was ${execution.state} when its job was imported, and its node is gone`
    tellerOf(
      tell,
      'execution',
      execution.id,
      `jobs/${newest.id}/executions/${execution.id}`,
    )('changed', 'unfinished', `${message}; it comes in as ${end.state}`)
    const ended = endedExecution(execution, end.state, end.endReason, message, nowMs)
    history.add(ended.id, ended.nodeId, ended, message, nowMs)
    return ended
  })
  const tellJob = tellerOf(tell, 'job', newest.id, `jobs/${newest.id}/spec`)
  if (goesOn)
    tellJob('changed', 'unfinished', `it was ${newest.state} and goes on when a node opens the store`)
  const changes: Omit<Partial<Job>, 'spec'> = lack === null ? {} : stoppedBy(newest, lack, nowMs)
  if (lack !== null) {
    tellJob('changed', 'unfinished', `it was ${newest.state} and comes in as Stopped: ${lack}`)
    history.add(
      null,
      null,
      { state: 'Stopped', revision: newest.revision + 1 },
      changes.stateMessage ?? lack,
      nowMs,
    )
  }
  return {
    versions: whole.versions.map((version) => ({ ...version, ...changes })),
    executions,
    evaluations: whole.evaluations.map((evaluation) => {
      if (evaluation.status !== 'pending') return evaluation
      return {
        ...evaluation,
        status: 'canceled',
        comment: evaluation.comment || 'Bacalhau does not note how it ended',
      }
    }),
    history: history.entries,
  }
}

/** Does the same with an execution of a compute node. */
export function settleComputeExecution(
  { execution, history }: WholeComputeExecution,
  { nowMs, tell }: Pick<SettleOptions, 'nowMs' | 'tell'>,
): WholeComputeExecution {
  // Its requester learns nothing from it any more: what it knew itself comes in beside it.
  if (COMPUTE_MACHINE.terminal.has(execution.state)) {
    return { execution: { ...execution, acknowledgedRevision: execution.revision }, history }
  }
  const message = `it was ${execution.state} when it was imported, and what ran it is gone`
  tellerOf(
    tell,
    'execution',
    execution.id,
    execution.id,
  )('changed', 'unfinished', `${message}; it comes in as Failed`)
  const revision = execution.revision + 1
  const last = history.at(-1)
  return {
    execution: {
      ...execution,
      state: 'Failed',
      stateMessage: message,
      stateSinceMs: nowMs,
      endReason: 'interrupted',
      acknowledgedRevision: revision,
      revision,
      modifiedAtMs: nowMs,
      finishedAtMs: nowMs,
    },
    history: [
      ...history,
      {
        sequence: (last?.sequence ?? 0) + 1,
        level: 'execution',
        jobId: execution.job.id,
        jobVersion: execution.job.version,
        executionId: execution.id,
        nodeId: null,
        previousState: last?.newState ?? null,
        newState: 'Failed',
        revision,
        event: { message, topic: TOPIC, details: { IsError: 'true' } },
        atMs: nowMs,
        ...(last === undefined ? { afterGap: true } : {}),
      },
    ],
  }
}

/** Says what of a job no node of ours has; `null` where nothing is lacking. */
function lackOf({ spec }: Job<JobSpec>, { engines, inputs, publishers }: Offers): string | null {
  for (const { Engine, InputSources, Publisher } of spec.Tasks) {
    const lacks = (names: readonly string[], type: string): boolean =>
      !names.includes(type.trim().toLowerCase())
    if (lacks(engines, Engine.Type)) return `it needs the engine ${Engine.Type}, which no node here has`
    if (Publisher.Type !== '' && lacks(publishers, Publisher.Type))
      return `it needs the publisher ${Publisher.Type}, which no node here has`
    const source = InputSources.find(({ Source }) => lacks(inputs, Source.Type))
    if (source !== undefined) return `it needs the input source ${source.Source.Type}, which no node here has`
  }
  return null
}

function stoppedBy(job: Job, lack: string, nowMs: number): Omit<Partial<Job>, 'spec'> {
  return {
    state: 'Stopped',
    stateMessage: `stopped as it was imported: ${lack}`,
    stateSinceMs: nowMs,
    modifiedAtMs: nowMs,
    finishedAtMs: nowMs,
    deadlineAtMs: null,
    revision: job.revision + 1,
  }
}

function endedExecution(
  execution: Execution,
  state: 'Failed' | 'Cancelled',
  endReason: EndReason,
  message: string,
  nowMs: number,
): Execution {
  return {
    ...execution,
    state,
    stateMessage: message,
    stateSinceMs: nowMs,
    endReason,
    desiredState: 'Stopped',
    desiredMessage: message,
    revision: execution.revision + 1,
    modifiedAtMs: nowMs,
    finishedAtMs: nowMs,
  }
}

/** A history that goes on with what an import changes. */
class EndedHistory {
  readonly entries: HistoryEntry[]
  readonly #job: Pick<Job, 'id' | 'version'>

  constructor(entries: readonly HistoryEntry[], job: Pick<Job, 'id' | 'version'>) {
    this.entries = [...entries]
    this.#job = job
  }

  add(
    executionId: string | null,
    nodeId: string | null,
    { state, revision }: { readonly state: string; readonly revision: number },
    message: string,
    atMs: number,
  ): void {
    const last = this.entries.findLast((entry) => entry.executionId === executionId)
    const details = executionId === null ? { NewState: state } : {}
    this.entries.push({
      sequence: this.entries.length + 1,
      level: executionId === null ? 'job' : 'execution',
      jobId: this.#job.id,
      jobVersion: this.#job.version,
      executionId,
      nodeId,
      previousState: last?.newState ?? null,
      newState: state,
      revision,
      event: { message, topic: TOPIC, details: { ...details, IsError: 'true' } },
      atMs,
      ...(last === undefined ? { afterGap: true } : {}),
    })
  }
}
