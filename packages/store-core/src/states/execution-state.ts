import type { StateMachine } from './transitions.ts'

/** The requester's view of an execution, in Bacalhau's order (pkg/models/execution.go, v1.9.3). */
export const EXECUTION_STATES = [
  'New',
  'AskForBid',
  'AskForBidAccepted',
  'AskForBidRejected',
  'BidAccepted',
  'Running',
  'Publishing',
  'BidRejected',
  'Completed',
  'Failed',
  'Cancelled',
] as const

/** Where an execution stands, as the requester knows it. */
export type ExecutionState = (typeof EXECUTION_STATES)[number]

/** What the requester wants of an execution. */
export const DESIRED_STATES = ['Pending', 'Running', 'Stopped'] as const

/** One of {@link DESIRED_STATES}. */
export type DesiredState = (typeof DESIRED_STATES)[number]

/**
 * One of the two ways out of an end: what was given up with its node had been done all the same, and its share was not
 * done again. Only a report leads there.
 */
export const LATE_COMPLETION = { from: 'Failed', endReason: 'node-lost', to: 'Completed' } as const

/** The other one: it goes on on its node, and its share was not given to another. */
export const LATE_RETURN = {
  from: 'Failed',
  endReason: 'node-lost',
  to: ['BidAccepted', 'Running', 'Publishing'],
} as const

/** Ended because it ran to its end, broke, or was called off. */
const ended = ['Completed', 'Failed', 'Cancelled'] as const

/**
 * The legal moves of an execution on the requester. A report may skip states that the requester never
 * heard of (a node that was cut off tells only the last one), so every forward edge is legal.
 */
export const EXECUTION_MACHINE: StateMachine<ExecutionState> = {
  subject: 'execution',
  states: EXECUTION_STATES,
  terminal: new Set<ExecutionState>(['AskForBidRejected', 'BidRejected', ...ended]),
  edges: {
    New: [
      'AskForBid',
      'AskForBidAccepted',
      'AskForBidRejected',
      'BidAccepted',
      'Running',
      'Publishing',
      'BidRejected',
      ...ended,
    ],
    AskForBid: [
      'AskForBidAccepted',
      'AskForBidRejected',
      'BidAccepted',
      'Running',
      'Publishing',
      'BidRejected',
      ...ended,
    ],
    AskForBidAccepted: ['BidAccepted', 'BidRejected', 'Running', 'Publishing', ...ended],
    AskForBidRejected: [],
    BidAccepted: ['Running', 'Publishing', ...ended],
    Running: ['Publishing', ...ended],
    Publishing: [...ended],
    BidRejected: [],
    Completed: [],
    Failed: [],
    Cancelled: [],
  },
}
