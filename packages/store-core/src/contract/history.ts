import type { EventInput, HistoryEntry } from '../model/history.ts'
import type { Page, PageRequest } from '../model/page.ts'
import type { ChangeRequest } from '../model/request.ts'

/** Which part of a job's history to list. */
export interface HistoryQuery extends PageRequest {
  readonly jobId: string
  readonly jobVersion?: number
  readonly level?: 'job' | 'execution'
  /** The beginning of an execution's id. */
  readonly executionIdPrefix?: string
  readonly nodeIdPrefix?: string
  readonly sinceMs?: number
  /** Only entries behind this sequence number. */
  readonly afterSequence?: number
}

/** An entry that changes no state. */
export interface AddJobHistory extends ChangeRequest {
  readonly jobId: string
  /** Absent where it is about the job itself. */
  readonly executionId?: string
  readonly event: EventInput
}

/** What happened to a job and its executions. */
export interface JobHistory {
  /** Adds an entry that changes no state. Throws `JOB_NOT_FOUND`, `EXECUTION_NOT_FOUND`. */
  addHistory(request: AddJobHistory): Promise<HistoryEntry>
  /** Lists a job's history, oldest first. */
  listHistory(query: HistoryQuery): Promise<Page<HistoryEntry>>
}
