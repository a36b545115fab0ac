import type { WireExecution } from '../wire/models.ts'
import { desiredStateName, executionStateName } from '../wire/state-number.ts'
import { fromNanoseconds } from '../wire/time.ts'

const LONG_ID = /^([a-z]-[0-9a-f]{8})-[0-9a-f-]{27}$/

/** Shortens ids to what is enough to name them, unless they are wanted whole. */
export function idText(id: string, wide: boolean): string {
  return wide ? id : (LONG_ID.exec(id)?.[1] ?? id)
}

/** Writes nanoseconds since 1970 as local date and time. */
export function timeText(nanoseconds: number): string {
  return localTime(new Date(fromNanoseconds(nanoseconds)))
}

/** Writes an RFC 3339 text as local date and time. */
export function rfcText(text: string): string {
  return localTime(new Date(text))
}

/** Returns the name of an execution's state. */
export function stateText(execution: WireExecution): string {
  return executionStateName(execution.ComputeState.StateType)
}

/** Returns the name of the state that the requester wants of an execution. */
export function desiredText(execution: WireExecution): string {
  return desiredStateName(execution.DesiredState.StateType)
}

function localTime(date: Date): string {
  const two = (number: number): string => String(number).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}
