import { cutMessage } from '../arguments/limits.ts'
import type { StateMachine } from '../states/transitions.ts'
import { isKeyText, isNumber, isText, optional, type RowShape } from './row-shape.ts'
import { type Moment, shiftTime } from './steady-clock.ts'

/** What the rows of all records that have a state have in common. */
export interface StateRow<State extends string> {
  readonly state: State
  /** Message of the state. */
  readonly stateMessage?: string
  /**
   * Since when it has been in its state: by steady time, for somebody may wait for how long; once it has ended by
   * the clock.
   */
  readonly stateSinceMs: number
  /** When it ended. */
  readonly finishedAtMs?: number
  readonly deadlineSteadyMs?: number
}

/** What the fields of {@link StateRow} may hold; a state that this release does not know is a text too. */
export const STATE_SHAPE: RowShape<StateRow<string>> = {
  state: isKeyText,
  stateMessage: optional(isText),
  stateSinceMs: isNumber,
  finishedAtMs: optional(isNumber),
  deadlineSteadyMs: optional(isNumber),
}

/** A row that is being made, and that nobody else has yet. */
export type Draft<Row> = { -readonly [Field in keyof Row]: Row[Field] }

/**
 * Returns a copy of a row in another state, with the message that belongs to it; one that ends has no deadline any
 * more.
 */
export function inState<State extends string, Row extends StateRow<State>>(
  machine: StateMachine<State>,
  row: Row,
  to: State,
  text: string,
  { nowMs, steadyMs }: Moment,
): Draft<Row> {
  const message = cutMessage(text)
  const hasEnded = machine.terminal.has(to)
  const moved: Partial<Draft<Row>> = {}
  // A loop: rows come in so many shapes that copies by spreading cost several times as much.
  for (const field in row) {
    if (field !== 'stateMessage' && field !== 'deadlineSteadyMs' && field !== 'finishedAtMs')
      moved[field] = row[field]
  }
  const draft = moved as Draft<StateRow<State>>
  draft.state = to
  if (message !== '') draft.stateMessage = message
  draft.stateSinceMs = hasEnded ? nowMs : steadyMs
  if (hasEnded) draft.finishedAtMs = nowMs
  else if (row.deadlineSteadyMs !== undefined) draft.deadlineSteadyMs = row.deadlineSteadyMs
  return moved as Draft<Row>
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

/**
 * Sets fields of a row that was just made: one that is `undefined` stays as it is, `null` clears. A record that
 * ended gets no deadline.
 */
export function setFields<Row extends StateRow<string>>(
  draft: Draft<Row>,
  fields: Readonly<Partial<Record<keyof Row, unknown>>>,
): void {
  for (const field in fields) {
    const value = fields[field]
    if (value === undefined || (field === 'deadlineSteadyMs' && draft.finishedAtMs !== undefined)) continue
    if (value === null) delete draft[field]
    else draft[field] = value as Row[typeof field]
  }
}
