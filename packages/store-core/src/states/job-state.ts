import type { StateMachine } from './transitions.ts'

/** The states of a job, in Bacalhau's order (pkg/models/job.go, v1.9.3). */
export const JOB_STATES = ['Pending', 'Queued', 'Running', 'Completed', 'Failed', 'Stopped'] as const

/** Where a job stands. */
export type JobState = (typeof JOB_STATES)[number]

const ended = ['Completed', 'Failed', 'Stopped'] as const

/** The legal moves of a job. Terminal is terminal: only a new version leaves it (see `reviseJob`). */
export const JOB_MACHINE: StateMachine<JobState> = {
  subject: 'job',
  states: JOB_STATES,
  terminal: new Set<JobState>(ended),
  edges: {
    Pending: ['Queued', 'Running', ...ended],
    Queued: ['Running', ...ended],
    Running: ['Queued', ...ended],
    Completed: [],
    Failed: [],
    Stopped: [],
  },
}
