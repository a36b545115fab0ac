import {
  desiredStateName,
  executionStateName,
  fromNanoseconds,
  type WireExecution,
} from '@saltcod/bacalhau-records'
import { localTime } from '@saltcod/cli-kit'

/** Writes nanoseconds since 1970 as local date and time. */
export function timeText(nanoseconds: number): string {
  return localTime(fromNanoseconds(nanoseconds))
}

/** Writes an RFC 3339 text as local date and time. */
export function rfcText(text: string): string {
  return localTime(Date.parse(text))
}

/** Returns the name of an execution's state. */
export function stateText(execution: WireExecution): string {
  return executionStateName(execution.ComputeState.StateType)
}

const DISCARDED = new Set(['AskForBid', 'AskForBidRejected', 'BidRejected', 'New'])

/** Tells whether nothing of an execution ever ran, or can have run yet. */
export function isDiscarded(execution: WireExecution): boolean {
  return DISCARDED.has(stateText(execution))
}

/** Returns the name of the state that the requester wants of an execution. */
export function desiredText(execution: WireExecution): string {
  return desiredStateName(execution.DesiredState.StateType)
}

/** Returns the exit code of an execution's program; nothing where none has ended with one. */
export function exitCodeText({ RunOutput }: WireExecution): string {
  const { ExitCode = -1 } = RunOutput ?? {}
  return ExitCode < 0 ? '' : String(ExitCode)
}
