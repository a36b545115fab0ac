import type {
  ComputeExecution,
  ComputeExecutionQuery,
  Execution,
  ExecutionQuery,
  ExecutionStore,
  HistoryQuery,
  Job,
  JobQuery,
  JobStore,
  Page,
  PageRequest,
} from '@saltcod/store-core'

/** What the commands that show records ask of a store of jobs, whichever program wrote it. */
export interface JobReader
  extends Pick<
    JobStore,
    'getJob' | 'findJob' | 'listJobVersions' | 'getExecution' | 'findExecution' | 'counts'
  > {
  listJobs(query?: JobQuery): Promise<Page<Job>>
  listExecutions(query: Omit<ExecutionQuery, 'jobVersion'>): Promise<Page<Execution>>
  listEvaluations: JobStore['listEvaluations']
  listHistory(
    query: Pick<HistoryQuery, 'jobId' | 'executionIdPrefix'> & PageRequest,
  ): ReturnType<JobStore['listHistory']>
}

/** The same of a store of executions. */
export interface ExecutionReader
  extends Pick<ExecutionStore, 'getExecution' | 'findExecution' | 'listHistory' | 'counts'> {
  listExecutions(query?: Omit<ComputeExecutionQuery, 'live'>): Promise<Page<ComputeExecution>>
}
