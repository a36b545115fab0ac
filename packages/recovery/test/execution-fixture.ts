import type { ComputeExecution, ComputeState, JobType } from '@saltcod/store-core'

/** An execution record in any state, also in those that only imported records have. */
export function executionIn(
  state: ComputeState,
  type: JobType,
  more: Partial<ComputeExecution> = {},
): ComputeExecution {
  const ended = state === 'Completed' || state === 'Failed' || state === 'Cancelled'
  return {
    id: `e-${state}-${type}`,
    job: { id: `j-${type}`, version: 1, namespace: 'default', name: 'n', type, priority: 0, spec: {} },
    requesterId: 'requester',
    partition: null,
    state,
    stateMessage: '',
    stateSinceMs: 1_000,
    endReason: null,
    attempt: 0,
    rerunnable: false,
    process: null,
    resources: null,
    publishedResult: null,
    runOutput: null,
    acknowledgedRevision: 0,
    revision: 1,
    createdAtMs: 1_000,
    modifiedAtMs: 1_000,
    finishedAtMs: ended ? 1_000 : null,
    deadlineAtMs: null,
    ...more,
  }
}
