import {
  HISTORY_LEVELS,
  type HistoryBucket,
  type HistoryRecord,
  isBefore,
  JobInParts,
  keyText,
  type Note,
  type Offers,
  type StoredValue,
  type Tell,
  takeJobHead,
  wrongRow,
} from '@saltcod/bacalhau-records'
import type { Job } from '@saltcod/store-core'
import type { JobsFile } from './bacalhau-files.ts'
import { damagedPage } from './bacalhau-records.ts'
import type { FittingJobs } from './fitting-jobs.ts'
import type { FittingLoad } from './fitting-load.ts'

const RECORDS_A_PIECE = 1_000

/** What adding a job record by record needs. */
export interface LargeJobOptions {
  readonly file: JobsFile
  /** The name of its bucket. */
  readonly key: Buffer
  readonly fitting: FittingJobs
  /** Tells by which name the job is known in the store. */
  readonly nameOf: (job: Job) => string
  readonly offers: Offers
  readonly nowMs: number
  readonly tell: Tell
  /** Called with records of the job that are done. */
  readonly onProgress: (what: string, done: number) => void
}

/**
 * Adds a job that is too large to be in memory as a whole: its history is read twice, everything else once, some
 * hundred bytes stay of each execution. Resolves with what was added, and where the job stands; `null` where nothing
 * was.
 */
export async function addLargeJob(
  options: LargeJobOptions,
): Promise<{ readonly load: FittingLoad; readonly inProgress: boolean } | null> {
  const { file, key, fitting, nameOf, tell, onProgress } = options
  const id = keyText(key)
  const parts = new JobRows(file, key, tell)
  const head = await parts.head()
  const job = head === null ? null : JobInParts.begin(head, file.layout.numbering, options)
  const newest = job?.before.at(-1)
  if (job === null || newest === undefined) return null
  const name = nameOf(newest)
  const load = fitting.begin(job.before.map((version) => ({ ...version, name })))
  if (load === null) return null
  let done = 0
  const count = (what: string): void => {
    done += 1
    onProgress(`${what} of job ${id}`, done)
  }
  for (const bucket of Object.keys(HISTORY_LEVELS) as HistoryBucket[]) {
    for await (const value of parts.values(bucket, () => {})) {
      job.see(bucket, value)
      count('history')
    }
  }
  for await (const value of parts.values('executions', tell)) {
    const execution = job.execution(value)
    if (execution !== null) load.addExecution(execution)
    count('executions')
  }
  for await (const record of parts.history(job)) {
    load.addHistory(job.entry(record))
    count('history')
  }
  for (const entry of job.end()) load.addHistory(entry)
  for await (const value of parts.values('evaluations', tell)) {
    const evaluation = job.evaluation(value)
    if (evaluation !== null) load.addEvaluation(evaluation)
    count('evaluations')
  }
  const versions = job.versions().map((version) => ({ ...version, name }))
  load.finish(versions)
  return { load, inProgress: versions.at(-1)?.finishedAtMs === null }
}

/** The rows of one job, piece by piece. */
class JobRows {
  readonly #file: JobsFile
  readonly #key: Buffer
  readonly #id: string
  readonly #tell: Tell

  constructor(file: JobsFile, key: Buffer, tell: Tell) {
    this.#file = file
    this.#key = key
    this.#id = keyText(key)
    this.#tell = tell
  }

  /** Reads the job itself; `null` where it is gone. */
  async head(): Promise<ReturnType<typeof takeJobHead> | null> {
    const taken = await this.#file.bolt.read((snapshot) => {
      const bucket = snapshot.bucket(['jobs', this.#key])
      const notes: Note[] = []
      return bucket === undefined
        ? null
        : { head: takeJobHead(this.#id, bucket, (note) => notes.push(note)), notes }
    })
    for (const note of taken?.notes ?? []) this.#tell(note)
    return taken?.head ?? null
  }

  /** Yields the values of a bucket of the job. What cannot be read is told of and passed over. */
  async *values(name: string, tell: Tell): AsyncGenerator<StoredValue> {
    const place = `jobs/${this.#id}/${name}`
    const onDamage = ({ what }: { readonly what: string }): void =>
      tell({ ...damagedPage('job', place, what), id: this.#id })
    const pieces = this.#file.bolt.pieces(
      ['jobs', this.#key, name],
      ({ key, value }) => ({ key: keyText(key), json: value?.toString() ?? null }),
      { maxRows: RECORDS_A_PIECE, onDamage },
    )
    for await (const { values } of pieces) {
      for (const { key, json } of values) {
        if (json !== null) yield { key, json }
        else tell(wrongRow('job', this.#id, `${place}/${key}`, 'a bucket where a value should be'))
      }
    }
  }

  /** Yields the history in its order: two buckets up to v1.4, merged by time, then the one for both since. */
  async *history(job: JobInParts): AsyncGenerator<HistoryRecord> {
    const [ofJob, ofExecutions] = [this.#records(job, 'job_history'), this.#records(job, 'execution_history')]
    let [one, other] = [await ofJob.next(), await ofExecutions.next()]
    while (one.done !== true || other.done !== true) {
      const isOther = other.done !== true && (one.done === true || isBefore(other.value, one.value))
      if (isOther) {
        yield other.value as HistoryRecord
        other = await ofExecutions.next()
      } else {
        yield one.value as HistoryRecord
        one = await ofJob.next()
      }
    }
    yield* this.#records(job, 'history')
  }

  async *#records(job: JobInParts, bucket: HistoryBucket): AsyncGenerator<HistoryRecord> {
    for await (const value of this.values(bucket, this.#tell)) {
      const record = job.record(bucket, value)
      if (record !== null) yield record
    }
  }
}
