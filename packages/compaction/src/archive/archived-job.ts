import {
  type Evaluation,
  type Execution,
  type HistoryEntry,
  type Job,
  type JobStore,
  type Json,
  type Page,
  type PageRequest,
  StoreError,
  type WholeJob,
} from '@saltcod/store-core'

/** A job as an archive keeps it, with everything that belongs to it. */
export type ArchivedJob = WholeJob<Json>

/** Which record a line of a segment holds. */
type LineKind = 'version' | 'execution' | 'evaluation' | 'history'

interface Line {
  readonly jobId: string
  readonly kind: LineKind
  readonly record: unknown
}

const PAGE_ROWS = 1_000

/** Reads a job and everything that belongs to it, page by page. Throws `JOB_NOT_FOUND`, `RECORD_CORRUPT`. */
export async function readArchivedJob(
  store: Pick<JobStore, 'listJobVersions' | 'listExecutions' | 'listEvaluations' | 'listHistory'>,
  jobId: string,
): Promise<ArchivedJob> {
  const history = await readAll((request) => store.listHistory({ jobId, ...request }))
  // Whatever its shape is called, what a store has given out is JSON.
  const versions = (await store.listJobVersions(jobId)) as Job<Json>[]
  const executions = await readAll((request) => store.listExecutions({ jobId, ...request }))
  const evaluations = await readAll((request) => store.listEvaluations({ jobId, ...request }))
  return { versions, executions, evaluations, history }
}

async function readAll<T>(list: (request: PageRequest) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = []
  let cursor: string | null = null
  do {
    const page: Page<T> = await list({ limit: PAGE_ROWS, cursor })
    const [damaged] = page.quarantined
    if (damaged !== undefined) {
      throw new StoreError('RECORD_CORRUPT', `a record that is to be archived is damaged: ${damaged}`, {
        id: damaged,
        remedy: 'check',
        hint: 'a check tells what is wrong with it; the job stays until that is mended',
      })
    }
    for (const item of page.items) items.push(item)
    cursor = page.next
  } while (cursor !== null)
  return items
}

/** Returns the newest version of an archived job. Throws a `TypeError` for one without any. */
export function newestVersion({ versions }: ArchivedJob): Job {
  const newest = versions.at(-1)
  if (newest === undefined) throw new TypeError('a job without versions cannot be archived')
  return newest
}

/** The lines of a job, one for each record. */
export function toLines(job: ArchivedJob): string[] {
  const { id: jobId } = newestVersion(job)
  const line = (kind: LineKind) => (record: unknown) => JSON.stringify({ jobId, kind, record } satisfies Line)
  return [
    ...job.versions.map(line('version')),
    ...job.executions.map(line('execution')),
    ...job.evaluations.map(line('evaluation')),
    ...job.history.map(line('history')),
  ]
}

/** Returns the id of the job that a line belongs to. */
export function jobOfLine(line: string): string {
  return (JSON.parse(line) as Line).jobId
}

/** Puts the lines of a job together again. */
export function fromLines(lines: readonly string[]): ArchivedJob {
  const parsed = lines.map((line) => JSON.parse(line) as Line)
  const records = (kind: LineKind): unknown[] =>
    parsed.filter((line) => line.kind === kind).map(({ record }) => record)
  return {
    versions: records('version') as Job<Json>[],
    executions: records('execution') as Execution[],
    evaluations: records('evaluation') as Evaluation[],
    history: records('history') as HistoryEntry[],
  }
}
