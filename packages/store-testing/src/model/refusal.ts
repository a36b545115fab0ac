import {
  type EndReason,
  type Expectation,
  isStoreError,
  type StateMachine,
  type StoreErrorCode,
} from '@saltcod/store-core'

/** What a model refuses, by code. */
export class Refusal extends Error {
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode) {
    super(code)
    this.code = code
  }
}

/** What came of a command: its result, or the code of its refusal. */
export type CallResult = { readonly result: unknown } | { readonly refused: string }

/** Carries a command out on a store and tells what came of it. Errors that are no refusals are thrown. */
export async function resultOf(call: () => Promise<unknown>): Promise<CallResult> {
  try {
    return { result: (await call()) ?? null }
  } catch (error) {
    if (!isStoreError(error)) throw error
    return { refused: error.code }
  }
}

/** Carries a command out on a model and tells what came of it. */
export function modelResult(call: () => unknown): CallResult {
  try {
    return { result: call() ?? null }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { refused: error.code }
  }
}

/** A reason belongs to an end that is not a completion. */
export function refuseReason<S extends string>(
  { terminal }: StateMachine<S>,
  to: S | undefined,
  endReason: EndReason | null,
): void {
  if (endReason === null || (to !== undefined && to !== 'Completed' && terminal.has(to))) return
  throw new Refusal('INVALID_ARGUMENT')
}

/** The documented order of checks, in a few words of its own. */
export function expectMove<S extends string>(
  machine: StateMachine<S>,
  record: { readonly state: S; readonly revision: number },
  { expectedStates = [], unexpectedStates = [], expectedRevision }: Expectation<S>,
  to: S | undefined,
): void {
  const { state, revision } = record
  if (expectedStates.length > 0 && !expectedStates.includes(state)) throw new Refusal('STATE_CONFLICT')
  if (unexpectedStates.includes(state)) throw new Refusal('STATE_CONFLICT')
  if (expectedRevision !== undefined && expectedRevision !== revision) throw new Refusal('REVISION_CONFLICT')
  if (machine.terminal.has(state)) throw new Refusal('ALREADY_TERMINAL')
  if (to !== undefined && !machine.edges[state].includes(to)) throw new Refusal('ILLEGAL_TRANSITION')
}
