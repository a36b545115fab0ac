import type { Terminal } from '@saltcod/cli-kit'
import type { Evaluation, Execution, HistoryEntry, Job } from '@saltcod/store-core'
import type { JobReader } from '../source/record-reader.ts'
import { readPages } from '../store/store-pages.ts'
import { type Moment, timelineOf } from './timeline.ts'
import type { Verdict } from './verdict.ts'

/** Why a job or an execution is where it is, since when, what comes next, and what happened. */
export interface Explanation extends Verdict {
  readonly subject: string
  readonly id: string
  readonly state: string
  readonly sinceMs: number
  readonly timeline: readonly Moment[]
  /** Those of the job. */
  readonly executionIds: readonly string[]
  /** What is to be told of executions, by their ids, whose nodes have their stores elsewhere; absent for nothing. */
  readonly elsewhere?: ReadonlyMap<string, readonly string[]>
}

/** All that belongs to a job, as far as it is looked at. */
export interface JobRecords {
  readonly executions: readonly Execution[]
  readonly evaluations: readonly Evaluation[]
  readonly history: readonly HistoryEntry[]
}

/** So many of each are looked at. */
const MAX_ENTRIES = 10_000

/** Reads what belongs to a job; of what is damaged it warns. */
export async function recordsOf(terminal: Terminal, store: JobReader, jobId: string): Promise<JobRecords> {
  const paging = { limit: MAX_ENTRIES, cursor: undefined }
  const executions: Execution[] = []
  const evaluations: Evaluation[] = []
  const history: HistoryEntry[] = []
  await readPages(
    terminal,
    paging,
    (request) => store.listExecutions({ jobId, ...request }),
    (item) => executions.push(item),
  )
  await readPages(
    terminal,
    paging,
    (request) => store.listEvaluations({ jobId, ...request }),
    (item) => evaluations.push(item),
  )
  await readPages(
    terminal,
    paging,
    (request) => store.listHistory({ jobId, ...request }),
    (item) => history.push(item),
  )
  return { executions, evaluations, history }
}

/** Puts together what is said of a job. */
export function explanationOf(
  job: Job,
  { executions, evaluations, history }: JobRecords,
  { because, next }: Verdict,
): Explanation {
  return {
    subject: `job ${job.name} (${job.id})`,
    id: job.id,
    state: job.state,
    sinceMs: job.stateSinceMs,
    because,
    next,
    timeline: timelineOf(history, evaluations),
    executionIds: executions.map(({ id }) => id),
  }
}
