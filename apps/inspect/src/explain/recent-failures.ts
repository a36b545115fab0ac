import type { ComputeExecution, Job } from '@saltcod/store-core'
import type { OpenedStore } from '../store/open-store.ts'

/** A job, or on a compute node an execution, that failed lately. */
export interface RecentFailure {
  readonly id: string
  readonly name: string
  readonly atMs: number
  readonly message: string
}

const LATELY_MS = 24 * 3_600_000
const MAX_SHOWN = 3

/** Finds the newest failures of the last day, newest first, from the end of an index stretch. */
export async function recentFailures(opened: OpenedStore, nowMs: number): Promise<RecentFailure[]> {
  const query = { states: ['Failed'], limit: MAX_SHOWN, reverse: true } as const
  const failures =
    opened.kind === 'jobs'
      ? (await opened.store.listJobs(query)).items.map(ofJob)
      : (await opened.store.listExecutions(query)).items.map(ofExecution)
  return failures.filter(({ atMs }) => atMs > nowMs - LATELY_MS)
}

function ofJob({ id, name, stateSinceMs, stateMessage }: Job): RecentFailure {
  return { id, name, atMs: stateSinceMs, message: stateMessage }
}

function ofExecution({ id, job, stateSinceMs, stateMessage }: ComputeExecution): RecentFailure {
  return { id, name: job.name, atMs: stateSinceMs, message: stateMessage }
}
