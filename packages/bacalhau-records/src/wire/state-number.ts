import type { DesiredState, ExecutionState } from '@saltcod/store-core'
import { DESIRED_STATES, EXECUTION_STATES } from '@saltcod/store-core'
import type { ClientVersion } from './client-version.ts'

/** The numbers before v1.5.2, which had neither Running nor Publishing. */
const OLD_NUMBERS: Readonly<Record<ExecutionState, number>> = {
  New: 1,
  AskForBid: 2,
  AskForBidAccepted: 3,
  AskForBidRejected: 4,
  BidAccepted: 5,
  Running: 5,
  Publishing: 5,
  BidRejected: 6,
  Completed: 7,
  Failed: 8,
  Cancelled: 9,
}

/** Returns the number by which a client knows an execution's state. */
export function executionStateNumber(state: ExecutionState, client: ClientVersion): number {
  return client.newStateNumbers ? EXECUTION_STATES.indexOf(state) + 1 : OLD_NUMBERS[state]
}

/** Returns the state that a number of v1.5.2 and later means; `Undefined` for any other number. */
export function executionStateName(number: number): ExecutionState | 'Undefined' {
  return EXECUTION_STATES[number - 1] ?? 'Undefined'
}

/** Returns the number of a desired state. */
export function desiredStateNumber(state: DesiredState): number {
  return DESIRED_STATES.indexOf(state)
}

/** Returns the desired state that a number means; `Undefined` for any other number. */
export function desiredStateName(number: number): DesiredState | 'Undefined' {
  return DESIRED_STATES[number] ?? 'Undefined'
}
