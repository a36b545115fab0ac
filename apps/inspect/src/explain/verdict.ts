import { outlivesNode } from '@saltcod/bacalhau-records'
import { localTime, shortId, span } from '@saltcod/cli-kit'
import {
  COMPUTE_MACHINE,
  type ComputeExecution,
  type Evaluation,
  EXECUTION_MACHINE,
  type Execution,
  JOB_MACHINE,
  type Job,
} from '@saltcod/store-core'
import { exitCodeOf } from '../store/exit-code-of.ts'
import { endReasonText } from './end-reason-text.ts'

/** Why something is where it is, and what happens next, as sentences. */
export interface Verdict {
  readonly because: readonly string[]
  readonly next: readonly string[]
}

/** What is known about a job when its state is explained. */
export interface JobFacts {
  readonly job: Job
  readonly executions: readonly Execution[]
  /** Those that are not done. */
  readonly pending: readonly Evaluation[]
  /** Its newest evaluation; `undefined` where it has none any more. */
  readonly newest: Evaluation | undefined
  /** Nodes with messages that wait for them, and since when. */
  readonly waitingMessages: ReadonlyMap<string, number>
  /** What executions wait for on their nodes, as far as those have said. */
  readonly queueing: ReadonlyMap<string, string>
  /** The node that the store belongs to; `null` where it does not say. */
  readonly ownNodeId: string | null
  readonly nodeRuns: boolean
  readonly nowMs: number
}

/** Explains the state of a job. */
export function explainJob(facts: JobFacts): Verdict {
  const { job, executions, pending, nodeRuns, nowMs } = facts
  if (JOB_MACHINE.terminal.has(job.state)) return explainEnded(facts)
  const because = saysWhy(job) ? [job.stateMessage] : []
  const next: string[] = []
  for (const evaluation of pending) addEvaluation(evaluation, facts, because, next)
  const live = executions.filter(({ state }) => !EXECUTION_MACHINE.terminal.has(state))
  if (!nodeRuns) next.push(...untilTheStart(live, facts))
  for (const execution of live) addExecution(execution, facts, because, next)
  const isQueued = job.state === 'Queued' && facts.newest?.status !== 'failed'
  if (pending.length === 0 && live.length === 0 && isQueued) {
    next.push(
      nodeRuns
        ? 'the requester looks at it when a node that may do it comes or has room; more urgent and older jobs go first'
        : 'when the requester starts, it goes on waiting for a node that may do it',
    )
  } else if (pending.length === 0 && live.length === 0) {
    because.push('nothing is in motion: no evaluation is pending and no execution is in progress')
    if (facts.newest?.status === 'failed') {
      because.push(`its last evaluation failed: ${facts.newest.comment || 'nothing was said'}`)
    }
    next.push(
      nodeRuns
        ? 'nothing by itself: stop the job, or start the node anew, which looks at every job in progress'
        : 'when the node starts, it looks at every job in progress',
    )
  }
  const failed = becauseOfFailures(executions)
  if (failed !== null) because.push(failed)
  addDeadline(job.deadlineAtMs, 'the job', nowMs, next)
  return { because, next }
}

/** Says what becomes of executions in progress while the node of the store does not run. */
function untilTheStart(live: readonly Execution[], facts: JobFacts): string[] {
  const elsewhere = live.filter((execution) => isElsewhere(execution, facts)).length
  return [
    ...(elsewhere < live.length
      ? ['nothing moves before the node starts; saltcod-inspect recover --plan tells what its start will do']
      : []),
    ...(elsewhere > 0
      ? [
          'other nodes go on with what they have begun, and tell of it when the requester starts; nothing new is decided before',
        ]
      : []),
  ]
}

/** What stops with the process of the store is carried out by its own node alone. */
function isElsewhere({ nodeId }: Execution, { ownNodeId }: JobFacts): boolean {
  return ownNodeId !== null && nodeId !== ownNodeId
}

/** Says how many executions of a job that goes on have failed; `null` where none has. */
export function becauseOfFailures(executions: readonly Execution[]): string | null {
  const failed = executions.filter(({ state }) => state === 'Failed' || state === 'BidRejected')
  const last = failed.at(-1)
  if (last === undefined) return null
  return `${failed.length} earlier ${failed.length === 1 ? 'execution' : 'executions'} failed, the last on ${shortId(last.nodeId)}${endReasonText(last.endReason)}: ${last.stateMessage || 'nothing was said'}`
}

/** Tells whether a job says why it is in its state: who has nothing to say may name it. */
export function saysWhy({ state, stateMessage }: Job): boolean {
  return stateMessage !== '' && stateMessage !== state
}

/** Says why a job has ended. */
export function becauseItEnded(job: Job, executions: readonly Execution[]): string[] {
  const because = [job.stateMessage === '' ? `it ended as ${job.state}` : job.stateMessage]
  for (const execution of executions.filter(({ state }) => state === 'Failed').slice(-3)) {
    because.push(
      `execution ${shortId(execution.id)} on ${shortId(execution.nodeId)} failed${endReasonText(execution.endReason)}: ${execution.stateMessage || 'nothing was said'}`,
    )
  }
  for (const execution of executions.filter(endedOddly).slice(-3)) {
    because.push(`execution ${shortId(execution.id)} completed with exit code ${exitCodeOf(execution)}`)
  }
  return because
}

function explainEnded({ job, executions }: JobFacts): Verdict {
  const because = becauseItEnded(job, executions)
  const next = ['nothing: it has ended; a new version (rerun or update) is the only way out']
  next.push(
    job.hold === null
      ? 'retention may remove it, where its node has rules'
      : `it is held against retention: ${job.hold}`,
  )
  return { because, next }
}

/** What ended with another code than 0 has completed all the same. */
function endedOddly(execution: Execution): boolean {
  return execution.state === 'Completed' && (exitCodeOf(execution) ?? 0) !== 0
}

function addEvaluation(
  { trigger, comment, dueAtMs, lease, attempt }: Evaluation,
  { nodeRuns, nowMs }: JobFacts,
  because: string[],
  next: string[],
): void {
  const what = `an evaluation (${trigger}${comment === '' ? '' : `: ${comment}`}${attempt > 0 ? `, attempt ${attempt}` : ''})`
  if (lease !== null) {
    const left = lease.expiresAtMs - nowMs
    because.push(`${what} is being worked on by ${lease.holder}`)
    next.push(
      left > 0
        ? `the scheduler decides; if it dies, the work is given to another in ${span(left)}`
        : `the lease ran out ${span(-left)} ago; the next claim takes the work over`,
    )
  } else if (dueAtMs > nowMs) {
    because.push(`${what} waits until ${localTime(dueAtMs)}`)
    next.push(`the scheduler looks again in ${span(dueAtMs - nowMs)}`)
  } else {
    because.push(`${what} has been due for ${span(nowMs - dueAtMs)} and nobody has taken it`)
    next.push(
      nodeRuns
        ? 'the scheduler takes it in its turn'
        : 'it is taken when the node starts: the node does not run',
    )
  }
}

const WAITS: Readonly<Record<string, string>> = {
  New: 'has not been offered to its node yet',
  AskForBid: 'has been offered to its node, which has not answered',
  AskForBidAccepted: 'was taken by its node, which has not confirmed it',
  BidAccepted: 'waits in the queue of its node',
  Running: 'runs',
  Publishing: 'publishes its results',
  Created: 'has not been admitted yet',
  WaitingVerification: 'waits for a verification of its results',
  ResultAccepted: 'has been verified and is about to publish',
}

/** What another node did when it was heard of last. */
const DID_ELSEWHERE: Readonly<Record<string, string>> = {
  Running: 'ran there when the requester ended, and goes on without it',
  Publishing: 'was about to publish its results there when the requester ended, and goes on without it',
}

/** What a process did that has ended with its node. */
const DID: Readonly<Record<string, string>> = {
  Running: 'ran when the node ended, and does not run now',
  Publishing: 'was about to publish its results when the node ended',
}

function doingOf(state: string, { spec }: { readonly spec: unknown }, nodeRuns: boolean): string {
  if (!nodeRuns && state === 'Running' && outlivesNode(spec))
    return 'ran when the node ended, and goes on without it'
  return (nodeRuns ? undefined : DID[state]) ?? WAITS[state] ?? `is ${state}`
}

function addExecution(execution: Execution, facts: JobFacts, because: string[], next: string[]): void {
  const { id, nodeId, state, stateSinceMs, stateMessage, desiredState, desiredMessage, deadlineAtMs } =
    execution
  const { job, waitingMessages, queueing, nodeRuns, nowMs } = facts
  const elsewhere = !nodeRuns && isElsewhere(execution, facts) ? DID_ELSEWHERE[state] : undefined
  const message = (state === 'BidAccepted' ? queueing.get(id) : undefined) ?? stateMessage
  const said = message === '' ? '' : ` (${message})`
  because.push(
    `execution ${shortId(id)} on ${shortId(nodeId)} ${elsewhere ?? doingOf(state, job, nodeRuns)}; it is in this state for ${span(nowMs - stateSinceMs)}${said}`,
  )
  if (desiredState === 'Running' && desiredMessage !== '')
    because.push(`it is wanted on ${shortId(nodeId)}: ${desiredMessage}`)
  const sinceMs = waitingMessages.get(nodeId)
  if (sinceMs !== undefined) {
    because.push(`node ${shortId(nodeId)} has not taken its messages for ${span(nowMs - sinceMs)}`)
    next.push(`the messages reach node ${shortId(nodeId)} when it connects again`)
  } else if (nodeRuns && state === 'BidAccepted')
    next.push(`it starts in its turn, when node ${shortId(nodeId)} has room`)
  else if (nodeRuns) next.push(`node ${shortId(nodeId)} reports when it goes on`)
  addDeadline(deadlineAtMs, `execution ${shortId(id)}`, nowMs, next)
}

/** Explains the state of an execution on its compute node. */
export function explainExecution(execution: ComputeExecution, nodeRuns: boolean, nowMs: number): Verdict {
  const { job, state, stateMessage, stateSinceMs, attempt, deadlineAtMs, revision, acknowledgedRevision } =
    execution
  const said = stateMessage === '' ? '' : `: ${stateMessage}`
  if (COMPUTE_MACHINE.terminal.has(state)) {
    const told = acknowledgedRevision >= revision
    const code = exitCodeOf(execution)
    return {
      because: [
        `it ended as ${state}${endReasonText(execution.endReason)}${said}`,
        ...(code === null || code === 0 ? [] : [`its program ended with exit code ${code}`]),
      ],
      next: [
        told
          ? 'nothing: the requester knows'
          : 'the requester has not confirmed that it knows; the report is sent again',
      ],
    }
  }
  const because = [
    `it ${doingOf(state, job, nodeRuns)}; it is in this state for ${span(nowMs - stateSinceMs)}${said}`,
  ]
  if (attempt > 1) because.push(`this is attempt ${attempt}`)
  const next = nodeRuns
    ? ['the node carries it on']
    : ['the node does not run; saltcod-inspect recover --plan tells what its start will do']
  addDeadline(deadlineAtMs, 'it', nowMs, next)
  return { because, next }
}

function addDeadline(deadlineAtMs: number | null, what: string, nowMs: number, next: string[]): void {
  if (deadlineAtMs === null) return
  const left = deadlineAtMs - nowMs
  next.push(
    left > 0
      ? `unless it moves on before, ${what} times out in ${span(left)}, at ${localTime(deadlineAtMs)}`
      : `the deadline of ${what} passed ${span(-left)} ago; a running node ends it`,
  )
}
