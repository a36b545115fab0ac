import type { StateMachine } from './transitions.ts'

/** The compute node's view of an execution (pkg/compute/store/state.go of Bacalhau v1.0.3 has all nine). */
export const COMPUTE_STATES = [
  'Created',
  'BidAccepted',
  'Running',
  'WaitingVerification',
  'ResultAccepted',
  'Publishing',
  'Completed',
  'Failed',
  'Cancelled',
] as const

/** Where an execution stands on the node that carries it out. */
export type ComputeState = (typeof COMPUTE_STATES)[number]

/** The states in which a node has taken an execution on and not ended it. */
export const LIVE_COMPUTE_STATES: ReadonlySet<ComputeState> = new Set<ComputeState>([
  'BidAccepted',
  'Running',
  'WaitingVerification',
  'ResultAccepted',
  'Publishing',
])

const ended = ['Completed', 'Failed', 'Cancelled'] as const

/**
 * The legal moves of an execution on its node. `Running` may be entered again (a rerun after a restart
 * counts a further attempt). No edge leads
 * into `WaitingVerification` and `ResultAccepted`: they come from imported records alone.
 */
export const COMPUTE_MACHINE: StateMachine<ComputeState> = {
  subject: 'execution',
  states: COMPUTE_STATES,
  terminal: new Set<ComputeState>(ended),
  edges: {
    Created: ['BidAccepted', ...ended],
    BidAccepted: ['Running', 'Failed', 'Cancelled'],
    Running: ['Running', 'Publishing', ...ended],
    WaitingVerification: ['ResultAccepted', 'Failed', 'Cancelled'],
    ResultAccepted: ['Publishing', ...ended],
    Publishing: [...ended],
    Completed: [],
    Failed: [],
    Cancelled: [],
  },
}
