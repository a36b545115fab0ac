import { DESIRED_STATES, type DesiredState, EXECUTION_STATES, type ExecutionState } from '@saltcod/store-core'
import { isObject } from './record-fields.ts'

// Bacalhau v1.5.2 put Running and Publishing between the numbers of before, and rewrote no file. Its requester never
// writes either, so in a file of a requester the numbers 6 and 7 are always of before.

/** The numbers up to v1.5.1, from 1. */
const EARLIER_STATES: readonly ExecutionState[] = EXECUTION_STATES.filter(
  (state) => state !== 'Running' && state !== 'Publishing',
)

/** By which numbers execution states are written: those up to v1.5.1, or those since v1.5.2. */
export type Numbering = 'earlier' | 'later'

/** What is said of one execution, beside its state. */
export interface NumberingFacts {
  /** What the number means where nothing else is said. */
  readonly ofFile: Numbering
  /** The newest state in a history that has numbers; `null` where it has none. */
  readonly lastInHistory: number | null
  /** Whether a history of v1.5 or later speaks of it. */
  readonly inLaterHistory: boolean
  /** The execution as it is stored. */
  readonly record: Readonly<Record<string, unknown>>
}

/**
 * Tells by which numbers the state of an execution in a requester's file is written; `sure` where there is no doubt.
 */
export function numberingOf(
  number: number,
  { ofFile, lastInHistory, inLaterHistory, record }: NumberingFacts,
): { readonly numbering: Numbering; readonly sure: boolean } {
  if (number >= 10) return { numbering: 'later', sure: true }
  if (number < 6) return { numbering: ofFile, sure: true }
  if (number <= 7) return { numbering: 'earlier', sure: true }
  if (ofFile === 'earlier') return { numbering: 'earlier', sure: true }
  if (lastInHistory === number && !inLaterHistory) return { numbering: 'earlier', sure: true }
  const said = saidOf(record)
  // 8 is Failed or BidRejected, 9 Cancelled or Completed.
  if (number === 8) {
    if (/fail/.test(said) || hasOutput(record)) return { numbering: 'earlier', sure: true }
    return { numbering: 'later', sure: /reject/.test(said) }
  }
  if (/complet/.test(said) || hasOutput(record)) return { numbering: 'later', sure: true }
  return /cancel|stop/.test(said) ? { numbering: 'earlier', sure: true } : { numbering: 'later', sure: false }
}

/** Returns the state that a number means; `undefined` where it means none. */
export function stateOfNumber(number: number, numbering: Numbering): ExecutionState | undefined {
  return (numbering === 'later' ? EXECUTION_STATES : EARLIER_STATES)[number - 1]
}

/** Returns the desired state that a number means; `undefined` where it means none. */
export function desiredStateOfNumber(number: number): DesiredState | undefined {
  return DESIRED_STATES[number]
}

function saidOf(record: Readonly<Record<string, unknown>>): string {
  const desired = record['DesiredState']
  const message = isObject(desired) ? desired['Message'] : undefined
  return typeof message === 'string' ? message.toLowerCase() : ''
}

function hasOutput(record: Readonly<Record<string, unknown>>): boolean {
  return isObject(record['RunOutput'])
}
