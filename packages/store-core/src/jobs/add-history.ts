import type { EventInput, HistoryEntry } from '../model/history.ts'
import { readHistoryEntry } from '../rows/history.ts'
import type { Mutation } from '../rows/mutation.ts'
import { recordEvent } from './change-execution.ts'
import { recordJobEvent } from './change-job.ts'
import { executionNotFound, executionRows, loadExecution } from './execution-row.ts'
import { announceJob, loadJob } from './job-row.ts'

/**
 * Adds an entry that changes no state to the history of a job or of one of its executions, and tells the feed of it.
 */
export function addHistory(
  mutation: Mutation,
  request: { readonly jobId: string; readonly executionId?: string; readonly event: EventInput },
): HistoryEntry {
  const { rows } = mutation
  const job = loadJob(rows, request.jobId)
  if (request.executionId === undefined) {
    const sequence = recordJobEvent(mutation, job, job.row.state, request.event)
    announceJob(mutation, job.id, job.row, job.row.state)
    return readHistoryEntry(rows, { jobId: job.id }, job.key, sequence)
  }
  const execution = loadExecution(rows, request.executionId)
  if (execution.row.jobId !== job.id) throw executionNotFound(request.executionId)
  const sequence = recordEvent(mutation, execution, execution.row.state, request.event)
  executionRows.announce(mutation, execution.id, execution.row, execution.row.state)
  return readHistoryEntry(rows, { jobId: job.id }, job.key, sequence)
}
