import type {
  ComputeState,
  EndReason,
  EventInput,
  ExecutionPatch,
  ExecutionReport,
  ExecutionState,
  NewEvaluation,
} from '@saltcod/store-core'
import { EXECUTION_MACHINE, isEndReason } from '@saltcod/store-core'
import type { HandshakeExecution, Report } from '../link/link.ts'
import { reasonOfEarlierReport } from './before-reasons.ts'

/** The requester's name of a compute node's state; the two that only imported records have say nothing here. */
const STATES: Readonly<Record<ComputeState, ExecutionState | null>> = {
  Created: 'AskForBidAccepted',
  BidAccepted: 'BidAccepted',
  Running: 'Running',
  WaitingVerification: null,
  ResultAccepted: null,
  Publishing: 'Publishing',
  Completed: 'Completed',
  Failed: 'Failed',
  Cancelled: 'Cancelled',
}

const MESSAGES: Readonly<Partial<Record<ExecutionState, string>>> = {
  AskForBidAccepted: 'Bid offered',
  AskForBidRejected: 'Bid refused',
  BidAccepted: 'Accepted',
  Running: 'Running',
  Publishing: 'Publishing results',
  Completed: 'Completed successfully',
  Failed: 'Failed',
  Cancelled: 'Cancelled',
}

/** With these a node has taken an execution on. */
const BEGINNINGS: ReadonlySet<ExecutionState> = new Set(['BidAccepted', 'Running', 'Publishing'])

/** A job runs as soon as one of its executions is taken on; nothing is to be decided about it then. */
const JOB_BEGINS: NonNullable<ExecutionReport['job']> = {
  to: 'Running',
  from: ['Pending', 'Queued'],
  event: { message: 'Running', topic: 'State Update', details: { NewState: 'Running' } },
}

/**
 * Of the details of an event so many characters are kept, names and values together; those behind them are left out.
 */
const MOST_DETAILS_LENGTH = 8_192

/** What the requester's own record adds to a report. */
export interface ReportContext {
  /** When a run that begins now is given up; `null` for never. */
  readonly runDeadlineAtMs: number | null
  /** After what time a run that begins now is looked at; `null` for not at all. */
  readonly lookAfterMs: number | null
  /** The node has not answered the bid yet, so that a failure may be a refusal. */
  readonly bidOpen: boolean
}

/** Returns why an execution ended by a report; `null` where it did not end, or completed. */
function endReasonOf(report: Report): EndReason | null {
  const { state, endReason } = report
  if (state !== 'Failed' && state !== 'Cancelled') return null
  return isEndReason(endReason) ? endReason : reasonOfEarlierReport(report)
}

/** Tells whether a report refuses to do the work at all. */
export function isRefusal(report: Report): boolean {
  return endReasonOf(report) === 'refused'
}

/** Turns a compute node's report into a change of the requester's record. */
export function translateReport(
  nodeId: string,
  report: Report,
  { runDeadlineAtMs, lookAfterMs, bidOpen }: ReportContext,
): ExecutionReport {
  const to = isRefusal(report) && bidOpen ? 'AskForBidRejected' : stateOf(report)
  const base = { executionId: report.executionId, nodeId, computeRevision: report.revision }
  if (to === null) {
    return {
      ...base,
      ...(report.patch === undefined ? {} : { patch: report.patch }),
      ...(report.event === undefined ? {} : { event: bounded(report.event) }),
    }
  }
  const message = report.message ?? report.event?.message ?? ''
  const endReason = endReasonOf(report)
  const evaluation = evaluationFor(to, lookAfterMs)
  return {
    ...base,
    to,
    ...(to === 'Completed' ? { doneOnce: true } : {}),
    ...(endReason === null ? {} : { endReason }),
    message,
    patch: patchFor(to, report.patch, runDeadlineAtMs),
    event: bounded(eventFor(nodeId, report, to, message)),
    ...(evaluation === null ? {} : { evaluation }),
    ...(BEGINNINGS.has(to) ? { job: JOB_BEGINS } : {}),
  }
}

/** Says that what was given up with a node goes on there. */
export function translateReturn(
  nodeId: string,
  { executionId, state, revision }: Pick<HandshakeExecution, 'executionId' | 'state' | 'revision'>,
  { runDeadlineAtMs, lookAfterMs }: Pick<ReportContext, 'runDeadlineAtMs' | 'lookAfterMs'>,
): ExecutionReport {
  const to = STATES[state]
  const look = to === null ? null : evaluationFor(to, lookAfterMs)
  return {
    executionId,
    nodeId,
    computeRevision: revision,
    goesOn: true,
    ...(to === null ? {} : { to }),
    ...(runDeadlineAtMs === null ? {} : { patch: { deadlineAtMs: runDeadlineAtMs } }),
    evaluation: look ?? { trigger: 'exec-update', coalesce: true },
    job: JOB_BEGINS,
  }
}

function stateOf({ state }: Report): ExecutionState | null {
  return state === undefined ? null : STATES[state]
}

function evaluationFor(to: ExecutionState, lookAfterMs: number | null): NewEvaluation | null {
  if (to === 'Running' && lookAfterMs !== null)
    return { trigger: 'exec-update', delayMs: lookAfterMs, comment: 'looks whether it is healthy' }
  if (to === 'Failed') return { trigger: 'exec-failure', coalesce: true }
  const matters = to === 'AskForBidAccepted' || EXECUTION_MACHINE.terminal.has(to)
  return matters ? { trigger: 'exec-update', coalesce: true } : null
}

function patchFor(
  to: ExecutionState,
  patch: ExecutionPatch | undefined,
  runDeadlineAtMs: number | null,
): ExecutionPatch {
  if (EXECUTION_MACHINE.terminal.has(to)) {
    const desiredMessage = to === 'Completed' ? 'execution completed' : 'execution ended'
    return { ...patch, desiredState: 'Stopped', desiredMessage, deadlineAtMs: null }
  }
  return {
    ...patch,
    ...(to === 'Running' && runDeadlineAtMs !== null ? { deadlineAtMs: runDeadlineAtMs } : {}),
  }
}

function eventFor(nodeId: string, { event }: Report, to: ExecutionState, message: string): EventInput {
  const failed = to === 'Failed' || to === 'AskForBidRejected'
  return {
    message: event?.message ?? (message === '' ? (MESSAGES[to] ?? to) : message),
    topic: event?.topic ?? 'Execution',
    details: {
      NodeID: nodeId,
      ...(failed ? { IsError: 'true', FailsExecution: 'true' } : {}),
      ...event?.details,
    },
  }
}

/** A node is one of many that write into a store which is not its own. */
function bounded(event: EventInput): EventInput {
  const { details } = event
  if (typeof details !== 'object' || details === null) return event
  let left = MOST_DETAILS_LENGTH
  const kept = Object.entries(details).filter(([name, value]) => {
    left -= name.length + String(value).length
    return left >= 0
  })
  return kept.length === Object.keys(details).length ? event : { ...event, details: Object.fromEntries(kept) }
}
