import {
  COMPUTE_MACHINE,
  type EndReason,
  type Evaluation,
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
export function settleJob(whole: WholeJob<JobSpec>, options: SettleOptions): WholeJob<JobSpec> {
  const newest = whole.versions.at(-1)
  if (newest === undefined) return whole
  const settling = new JobSettling(newest, options)
  const executions = whole.executions.map((execution) => settling.execution(execution))
  const stateOf = (executionId: string | null): string | null =>
    whole.history.findLast((entry) => entry.executionId === executionId)?.newState ?? null
  return {
    versions: whole.versions.map((version) => settling.version(version)),
    executions,
    evaluations: whole.evaluations.map((evaluation) => settling.evaluation(evaluation)),
    history: [...whole.history, ...settling.end(stateOf, whole.history.length)],
  }
}

/** An execution that ended as its job was imported. */
interface EndedRecord {
  readonly id: string | null
  readonly nodeId: string | null
  readonly state: string
  readonly revision: number
  readonly message: string
}

/** Does what {@link settleJob} says, record by record. */
export class JobSettling {
  readonly #newest: Job<JobSpec>
  readonly #options: SettleOptions
  readonly #lack: string | null
  readonly #goesOn: boolean
  readonly #ended: EndedRecord[] = []

  constructor(newest: Job<JobSpec>, options: SettleOptions) {
    const inProgress = !JOB_MACHINE.terminal.has(newest.state)
    this.#newest = newest
    this.#options = options
    this.#lack = inProgress ? lackOf(newest, options.offers) : null
    this.#goesOn = inProgress && this.#lack === null
  }

  /** Ends an execution that was in progress. */
  execution(execution: Execution): Execution {
    if (EXECUTION_MACHINE.terminal.has(execution.state)) return execution
    const { nowMs, tell } = this.#options
    const { id, nodeId } = execution
    const [state, endReason] = this.#goesOn
      ? (['Failed', 'interrupted'] as const)
      : (['Cancelled', 'stopped'] as const)
    const message = `it was ${execution.state} when its job was imported, and its node is gone`
    const tellHere = tellerOf(tell, 'execution', id, `jobs/${this.#newest.id}/executions/${id}`)
    tellHere('changed', 'unfinished', `${message}; it comes in as ${state}`)
    const ended = endedExecution(execution, state, endReason, message, nowMs)
    this.#ended.push({ id, nodeId, state, revision: ended.revision, message })
    return ended
  }

  /** Closes an evaluation. */
  evaluation(evaluation: Evaluation): Evaluation {
    if (evaluation.status !== 'pending') return evaluation
    return {
      ...evaluation,
      status: 'canceled',
      comment: evaluation.comment || 'Bacalhau does not note how it ended',
    }
  }

  /** Stops a version of the job, where that cannot go on. */
  version(version: Job<JobSpec>): Job<JobSpec> {
    return this.#lack === null
      ? version
      : { ...version, ...stoppedBy(this.#newest, this.#lack, this.#options.nowMs) }
  }

  /**
   * Tells of the job itself, once its executions were settled, and returns what its history says of the changes:
   * `stateOf` tells to which state the history of a record had come, `null` where it has none.
   */
  end(stateOf: (executionId: string | null) => string | null, entries: number): HistoryEntry[] {
    const { id, state, revision } = this.#newest
    const tellJob = tellerOf(this.#options.tell, 'job', id, `jobs/${id}/spec`)
    if (this.#goesOn)
      tellJob('changed', 'unfinished', `it was ${state} and goes on when a node opens the store`)
    if (this.#lack !== null) {
      tellJob('changed', 'unfinished', `it was ${state} and comes in as Stopped: ${this.#lack}`)
      const message = stoppedMessage(this.#lack)
      this.#ended.push({ id: null, nodeId: null, state: 'Stopped', revision: revision + 1, message })
    }
    return this.#ended.map((record, index) => this.#entryOf(record, entries + index + 1, stateOf(record.id)))
  }

  #entryOf(
    { id, nodeId, state, revision, message }: EndedRecord,
    sequence: number,
    previousState: string | null,
  ): HistoryEntry {
    return {
      sequence,
      level: id === null ? 'job' : 'execution',
      jobId: this.#newest.id,
      jobVersion: this.#newest.version,
      executionId: id,
      nodeId,
      previousState,
      newState: state,
      revision,
      event: {
        message,
        topic: TOPIC,
        details: { ...(id === null ? { NewState: state } : {}), IsError: 'true' },
      },
      atMs: this.#options.nowMs,
      ...(previousState === null ? { afterGap: true } : {}),
    }
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
    stateMessage: stoppedMessage(lack),
    stateSinceMs: nowMs,
    modifiedAtMs: nowMs,
    finishedAtMs: nowMs,
    deadlineAtMs: null,
    revision: job.revision + 1,
  }
}

function stoppedMessage(lack: string): string {
  return `stopped as it was imported: ${lack}`
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
