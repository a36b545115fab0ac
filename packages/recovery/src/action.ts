import type { ComputeState } from '@saltcod/store-core'

/** Everything that a restart can do with an execution. */
export const RECOVERY_ACTIONS = [
  'admit',
  'requeue',
  'rerun',
  'reattach',
  'publish',
  'fail',
  'keep',
  'none',
] as const

/**
 * What a restart does with an execution: look at its admission again (`admit`), put it back into the queue
 * (`requeue`), run it again (`rerun`), go on with its run where that did not end with the node (`reattach`, which
 * no policy has to say), publish its kept results again (`publish`), end it (`fail`), leave it
 * to a deadline (`keep`), or leave it alone (`none`).
 */
export type RecoveryAction = (typeof RECOVERY_ACTIONS)[number]

/** Which actions make sense in which state; a policy with any other is refused. */
export const LEGAL_ACTIONS: { readonly [State in ComputeState]: readonly RecoveryAction[] } = {
  Created: ['admit', 'fail', 'keep', 'none'],
  BidAccepted: ['requeue', 'fail', 'keep', 'none'],
  Running: ['rerun', 'fail', 'keep', 'none'],
  WaitingVerification: ['fail', 'keep', 'none'],
  ResultAccepted: ['fail', 'keep', 'none'],
  Publishing: ['publish', 'fail', 'keep', 'none'],
  Completed: ['none'],
  Failed: ['none'],
  Cancelled: ['none'],
}

/** An action with the reason that goes into the execution's history. */
export interface RecoveryCell {
  readonly action: RecoveryAction
  /** A short word for people, for instance `interrupted`. */
  readonly reason: string
}

/** The reason of a decision where the policy gives none. */
export const DEFAULT_REASONS: { readonly [Action in RecoveryAction]: string } = {
  admit: 'not-admitted',
  requeue: 'never-started',
  rerun: 'interrupted',
  reattach: 'outlived',
  publish: 'publication-interrupted',
  fail: 'interrupted',
  keep: 'awaiting-verification',
  none: 'left-to-deadlines',
}
