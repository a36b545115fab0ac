import { requireText } from '../arguments/argument-types.ts'
import { checkOptionalChoice, invalid } from '../arguments/limits.ts'
import type { StateMachine } from './transitions.ts'

/** Why an execution ended that did not complete. */
export const END_REASONS = [
  /** Its node ended while it ran, or what looks after a run hung. No fault of the job. */
  'interrupted',
  /** Its node was not heard of for too long. No fault of the job. */
  'node-lost',
  /** Its node has no record of it any more. No fault of the job. */
  'record-lost',
  /** The node did not want to do it at all. */
  'refused',
  /** The node does not allow something that it asks for; another one may. */
  'denied',
  /** What it is to bring in is not there, or cannot be an input. */
  'unusable-input',
  /** It could not begin: its inputs, its engine or its process could not be had. */
  'start-failed',
  /** Its program broke. */
  'failed',
  /** Its program ended by itself, with an exit code that the job calls a failure. */
  'exit-code',
  /** A signal ended its program, or it passed a limit other than those of time and memory. */
  'killed',
  /** Its time or that of its job was up. */
  'timed-out',
  /** It used more memory than it may. */
  'out-of-memory',
  /** What it left cannot be a result. */
  'results-refused',
  /** What it left was not there any more when it was to be published. */
  'results-lost',
  /** The node could not go on with it, for a reason of its own. */
  'node-error',
  /** A restart of its node found it older than a rule allows. */
  'too-old',
  /** Its job ended, or somebody stopped it. */
  'stopped',
  /** A newer version of its job took its place. */
  'replaced',
  /** Another execution does the same. */
  'surplus',
  /** Its node was drained. No fault of the job. */
  'drained',
] as const

/** One of {@link END_REASONS}. */
export type EndReason = (typeof END_REASONS)[number]

/** Tells whether a text is one of {@link END_REASONS}. */
export function isEndReason(text: unknown): text is EndReason {
  return (END_REASONS as readonly unknown[]).includes(text)
}

/** Tells whether an execution in a state may have a reason of its end. */
function mayHaveEndReason<S extends string>(machine: StateMachine<S>, state: S): boolean {
  return machine.terminal.has(state) && state !== 'Completed'
}

/** Tells whether what a row says of the reason of its end fits its state; nothing does too. */
export function isSoundEndReason<S extends string>(
  machine: StateMachine<S>,
  row: { readonly state: S; readonly endReason?: unknown },
): boolean {
  return row.endReason === undefined || (isEndReason(row.endReason) && mayHaveEndReason(machine, row.state))
}

/** Checks the reason of an end, where one is given. Throws `TypeError` or `INVALID_ARGUMENT`. */
export function checkEndReason<S extends string>(
  machine: StateMachine<S>,
  to: S | null,
  endReason: EndReason | undefined,
): void {
  checkOptionalChoice('reason of an end', endReason, END_REASONS)
  if (to !== null) requireText('new state', to)
  if (endReason === undefined || (to !== null && mayHaveEndReason(machine, to))) return
  throw invalid(
    `the reason ${endReason} is given for ${to === null ? 'a change that ends nothing' : `the state ${to}`}`,
    'give a reason only with a state that ends an execution otherwise than as Completed',
  )
}
