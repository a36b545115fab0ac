import { isSoundEndReason } from '../states/end-reason.ts'
import type { StateMachine } from '../states/transitions.ts'
import type { Findings } from './findings.ts'

/** Checks what the row of an execution, in either store, says of its state and its end. */
export function checkExecutionState<S extends string>(
  findings: Findings,
  machine: StateMachine<S>,
  key: Uint8Array,
  id: string,
  row: { readonly state: S; readonly finishedAtMs?: number; readonly endReason?: unknown },
): void {
  const { state, finishedAtMs, endReason } = row
  if (!machine.states.includes(state)) {
    const message = `execution ${id} is in the unknown state ${String(state)}`
    findings.add('state-unknown', 'executions', key, id, message)
  }
  const add = (rule: 'finish-time-wrong' | 'end-reason-wrong', end: string): void =>
    findings.add(rule, 'executions', key, id, `execution ${id} is ${state}, ${end}`)
  if (machine.terminal.has(state) !== (finishedAtMs !== undefined)) {
    add('finish-time-wrong', `its end ${finishedAtMs ?? 'not set'}`)
  }
  if (!isSoundEndReason(machine, row)) {
    add('end-reason-wrong', `the reason of its end ${String(endReason)}`)
  }
}
