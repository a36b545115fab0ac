import { requireText } from '../arguments/argument-types.ts'
import { checkChoices, checkOptionalInteger } from '../arguments/limits.ts'
import { StoreError } from '../errors.ts'
import type { Fields } from '../kv/fields.ts'

/** A state machine as data: which states exist, which end a record, and every edge that is legal. */
export interface StateMachine<S extends string> {
  /** What moves, as a word for messages. */
  readonly subject: string
  readonly states: readonly S[]
  readonly terminal: ReadonlySet<S>
  readonly edges: { readonly [From in S]: readonly S[] }
}

/** What an update expects of the record that it changes. A missing field expects nothing. */
export interface Expectation<S extends string> {
  /** The record must be in one of these states. Default: any. */
  readonly expectedStates?: readonly S[]
  /** The record must be in none of these states. Default: none. */
  readonly unexpectedStates?: readonly S[]
  /** The record must have exactly this revision. Default: any. */
  readonly expectedRevision?: number
}

/** The fields of what an update expects. */
export const EXPECTATION_FIELDS: Fields<Expectation<string>> = {
  expectedStates: true,
  unexpectedStates: true,
  expectedRevision: true,
}

/**
 * Checks an update in the documented order: expected states, expected revision, already terminal, legal edge. Throws
 * `STATE_CONFLICT`, `REVISION_CONFLICT`, `ALREADY_TERMINAL` or `ILLEGAL_TRANSITION`. A `to` of `null` changes no
 * state, so the last check is left out. The expectation may be a request that says other things besides. One that
 * makes no sense throws `TypeError` or `INVALID_ARGUMENT`.
 */
export function checkTransition<S extends string>(
  machine: StateMachine<S>,
  record: { readonly id: string; readonly state: S; readonly revision: number },
  expectation: Expectation<S>,
  to: S | null,
): void {
  const { id, state, revision } = record
  const subject = machine.subject
  const { expectedStates, unexpectedStates, expectedRevision } = expectation
  checkChoices('expected state', expectedStates, machine.states)
  checkChoices('unexpected state', unexpectedStates, machine.states)
  checkOptionalInteger('expected revision', expectedRevision, 0)
  if (to !== null) requireText('new state', to)
  if (expectedStates !== undefined && expectedStates.length > 0 && !expectedStates.includes(state)) {
    throw new StoreError(
      'STATE_CONFLICT',
      `${subject} ${id} is ${state}, expected ${expectedStates.join(' or ')}`,
      { id, actual: state, expected: expectedStates, hint: 'read it again and decide anew' },
    )
  }
  if (unexpectedStates?.includes(state)) {
    throw new StoreError('STATE_CONFLICT', `${subject} ${id} is ${state}, which this change does not allow`, {
      id,
      actual: state,
      expected: machine.states.filter((other) => !unexpectedStates.includes(other)),
      hint: 'read it again and decide anew',
    })
  }
  if (expectedRevision !== undefined && expectedRevision !== revision) {
    throw new StoreError(
      'REVISION_CONFLICT',
      `${subject} ${id} has revision ${revision}, expected ${expectedRevision}`,
      { id, actual: revision, expected: expectedRevision, hint: 'read it again and decide anew' },
    )
  }
  if (machine.terminal.has(state)) {
    throw new StoreError('ALREADY_TERMINAL', `${subject} ${id} has ended as ${state}`, {
      id,
      actual: state,
      ...(to === null ? {} : { expected: to }),
      hint: 'what has ended stays as it is; a rerun opens a new version of the job',
    })
  }
  const edges = edgesOf(machine, state)
  if (to !== null && !edges.includes(to)) {
    throw new StoreError('ILLEGAL_TRANSITION', `${subject} ${id} cannot go from ${state} to ${to}`, {
      id,
      actual: state,
      expected: edges,
      hint:
        edges.length === 0
          ? `this release knows no state ${state}`
          : `from ${state} it goes to ${edges.join(', ')}`,
    })
  }
}

/** Returns the states that a state may go to; none from one that this release does not know. */
export function edgesOf<S extends string>(machine: StateMachine<S>, state: S): readonly S[] {
  return Object.hasOwn(machine.edges, state) ? machine.edges[state] : []
}
