import type { ComputeState } from '../states/compute-state.ts'
import type { JobState } from '../states/job-state.ts'

/** What retention needs to know of a job that has ended. */
export interface FinishedJob {
  readonly id: string
  readonly namespace: string
  readonly state: JobState
  readonly finishedAtMs: number
  readonly revision: number
  /** Why an operator holds it; `null` where nobody does. */
  readonly hold: string | null
  /** What it contributes to the bytes of `counts()`: its record and the specifications of all its versions. */
  readonly bytes: number
}

/** What retention needs to know of an execution that has ended, on the node that carried it out. */
export interface FinishedExecution {
  readonly id: string
  readonly jobId: string
  readonly namespace: string
  readonly state: ComputeState
  readonly finishedAtMs: number
  readonly revision: number
  /** The newest revision that the requester has confirmed; 0 for none. */
  readonly acknowledgedRevision: number
  /** What it contributes to the bytes of `counts()`: its record and the job that it was given. */
  readonly bytes: number
}

/** How much there is of a record and of everything that belongs to it, index rows left out. */
export interface RecordSize {
  /** Rows of the record itself, its specifications, executions, evaluations and history. */
  readonly rows: number
  /** Length of their values. */
  readonly bytes: number
}

/** How much there is of a job. */
export interface JobSize extends RecordSize {
  /** Executions that have not ended yet, which a job that has ended may still have for a while. */
  readonly unfinishedExecutions: number
}
