import { cutMessage } from '../arguments/limits.ts'
import type { StateMachine } from '../states/transitions.ts'
import { type Moment, shiftTime } from './steady-clock.ts'

/** What the rows of all records that have a state have in common. */
export interface StateRow<State extends string> {
  readonly state: State
  /** Message of the state. */
  readonly stateMessage?: string
  /** Since when it has been in its state: by steady time, for somebody may wait for how long; once it has ended by the clock. */
  readonly stateSinceMs: number
  /** When it ended. */
  readonly finishedAtMs?: number
  readonly deadlineSteadyMs?: number
}

/** Returns a row in another state, with the message that belongs to it; one that ends has no deadline any more. */
export function inState<State extends string, Row extends StateRow<State>>(
  machine: StateMachine<State>,
  row: Row,
  to: State,
  text: string,
  { nowMs, steadyMs }: Moment,
): Row {
  const { stateMessage: _message, deadlineSteadyMs: deadline, ...kept } = row
  const message = cutMessage(text)
  return {
    ...kept,
    state: to,
    ...(message === '' ? {} : { stateMessage: message }),
    ...(machine.terminal.has(to)
      ? { stateSinceMs: nowMs, finishedAtMs: nowMs }
      : { stateSinceMs: steadyMs, ...(deadline === undefined ? {} : { deadlineSteadyMs: deadline }) }),
  } as unknown as Row
}

/** Returns the times of a row that may be by steady time, as the clock tells them now. */
export function timesOf(
  { stateSinceMs, finishedAtMs, deadlineSteadyMs }: Omit<StateRow<string>, 'state'>,
  aheadMs: number,
): { readonly stateSinceMs: number; readonly deadlineAtMs: number | null } {
  return {
    stateSinceMs: finishedAtMs === undefined ? shiftTime(stateSinceMs, -aheadMs) : stateSinceMs,
    deadlineAtMs: deadlineSteadyMs === undefined ? null : shiftTime(deadlineSteadyMs, -aheadMs),
  }
}

/** Returns a row with other fields: one that is `undefined` stays as it is, `null` clears. A record that ended gets no deadline. */
export function withFields<Row extends StateRow<string>>(
  row: Row,
  fields: Readonly<Partial<Record<keyof Row, unknown>>>,
): Row {
  const changed = { ...row } as unknown as Record<string, unknown>
  for (const [field, value] of Object.entries(fields)) {
    if (value === undefined || (field === 'deadlineSteadyMs' && row.finishedAtMs !== undefined)) continue
    if (value === null) delete changed[field]
    else changed[field] = value
  }
  return changed as unknown as Row
}
