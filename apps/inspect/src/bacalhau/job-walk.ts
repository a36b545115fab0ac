import {
  type Bucket,
  type EvaluationHead,
  type ExecutionHead,
  executionsNamedIn,
  type JobHead,
  keyText,
  lastNumbersOf,
  type Note,
  type NumberingFacts,
  orDamaged,
  readEvaluationHead,
  readExecutionHead,
  readJobHead,
  type StoredValue,
  type Tell,
  valuesOf,
} from '@saltcod/bacalhau-records'
import type { BoltRow, BoltSnapshot } from '@saltcod/store-bolt'
import type { JobsFile } from './bacalhau-files.ts'
import { damagedPage } from './bacalhau-records.ts'

/** Jobs, and executions of one job, that are read within one snapshot: a running Bacalhau commits all the time. */
const JOBS_A_PIECE = 200
const RECORDS_A_PIECE = 1_000
/** The first piece of a job ends sooner where its records are as long as this together. */
const BYTES_A_PIECE = 4 * 1024 * 1024

/** Which records of a job a walk is about, besides itself. */
export interface WalkParts {
  readonly executions?: boolean
  readonly evaluations?: boolean
}

/**
 * The heads of a job and of records of it, none where the job cannot be read; a job with many of them comes several
 * times, without its own head then.
 */
export interface JobStep {
  readonly id: string
  /** `null` where it cannot be read; undefined where it came before. */
  readonly job: JobHead | null | undefined
  readonly executions: readonly ExecutionHead[]
  readonly evaluations: readonly EvaluationHead[]
  /** Keys of what cannot be read. */
  readonly unreadable: readonly string[]
  readonly notes: readonly Note[]
}

interface FirstStep extends JobStep {
  /** The key of the last execution that was read, where there may be more. */
  readonly lastExecution: Buffer | null
}

/** Yields every job of a file in the order of the ids, and keeps none of them. */
export async function* walkJobs(file: JobsFile, parts: WalkParts, tell: Tell): AsyncGenerator<JobStep> {
  const options = { maxRows: JOBS_A_PIECE, onDamage: damageTeller('jobs', tell) }
  const visit = (row: BoltRow): FirstStep | null =>
    row.bucket === null ? null : firstStep(file, keyText(row.key), row.bucket, parts)
  for await (const { values } of file.bolt.pieces(['jobs'], visit, options)) {
    for (const step of values) {
      if (step === null) continue
      for (const note of step.notes) tell(note)
      yield step
      if (step.lastExecution !== null) yield* furtherSteps(file, step.id, step.lastExecution, tell)
    }
  }
}

/** Yields the executions of one job likewise; nothing where there is no such job. */
export async function* walkExecutionsOf(file: JobsFile, jobId: string, tell: Tell): AsyncGenerator<JobStep> {
  const { step, notes } = await file.bolt.read((snapshot) => {
    // Told only once the snapshot counts.
    const notes: Note[] = []
    const onDamage = damageTeller('jobs', (note) => notes.push(note))
    const bucket = orDamaged(() => snapshot.bucket(['jobs', jobId]), onDamage)
    if (bucket === undefined) return { step: null, notes }
    return { step: firstStep(file, jobId, bucket, { executions: true, evaluations: true }), notes }
  })
  for (const note of [...notes, ...(step?.notes ?? [])]) tell(note)
  if (step === null) return
  yield step
  if (step.lastExecution !== null) yield* furtherSteps(file, jobId, step.lastExecution, tell)
}

function firstStep(file: JobsFile, id: string, bucket: Bucket, parts: WalkParts): FirstStep {
  const notes: Note[] = []
  const inner = (name: string): InnerBucket => innerOf(id, bucket, name, (note) => notes.push(note))
  const spec = orDamaged(
    () => bucket.get('spec'),
    damageTeller(`jobs/${id}/spec`, (note) => notes.push(note)),
  )
  const job = spec === undefined ? null : readJobHead(id, Buffer.from(spec).toString())
  const { values: executions, last } =
    parts.executions === true && job !== null ? executionsIn(inner('executions')) : { values: [], last: null }
  const factsOf = factsIn(file, inner)
  const heads = executions.map((value) => readExecutionHead(value, id, factsOf(value.key)))
  const evaluations = parts.evaluations === true && job !== null ? valuesIn(inner('evaluations')) : []
  const evaluationHeads = evaluations.map((value) => readEvaluationHead(value, id))
  return {
    id,
    job,
    executions: heads.filter((head) => head !== null),
    evaluations: evaluationHeads.filter((head) => head !== null),
    unreadable: [...unreadIn(executions, heads), ...unreadIn(evaluations, evaluationHeads)],
    notes,
    lastExecution: last,
  }
}

async function* furtherSteps(
  file: JobsFile,
  jobId: string,
  after: Buffer,
  tell: Tell,
): AsyncGenerator<JobStep> {
  const place = `jobs/${jobId}/executions`
  let known: { readonly snapshot: BoltSnapshot; readonly factsOf: FactsOf } | null = null
  const factsAt = (snapshot: BoltSnapshot): FactsOf | null => {
    if (known?.snapshot === snapshot) return known.factsOf
    // What is damaged of it was told with the first step.
    const bucket = orDamaged(
      () => snapshot.bucket(['jobs', jobId]),
      () => {},
    )
    if (bucket === undefined) return null
    known = { snapshot, factsOf: factsIn(file, (name) => innerOf(jobId, bucket, name, () => {})) }
    return known.factsOf
  }
  const pieces = file.bolt.pieces(
    ['jobs', jobId, 'executions'],
    ({ key, value }, snapshot) => {
      if (value === null) return null
      const stored = { key: keyText(key), json: value.toString() }
      const factsOf = factsAt(snapshot)
      return { stored, head: factsOf === null ? null : readExecutionHead(stored, jobId, factsOf(stored.key)) }
    },
    { after, maxRows: RECORDS_A_PIECE, onDamage: damageTeller(place, tell) },
  )
  for await (const { values } of pieces) {
    const read = values.filter((value) => value !== null)
    yield {
      id: jobId,
      job: undefined,
      executions: read.map(({ head }) => head).filter((head) => head !== null),
      evaluations: [],
      unreadable: read.flatMap(({ stored, head }) => (head === null ? [stored.key] : [])),
      notes: [],
    }
  }
}

/** A bucket in that of a job, with whoever is to be told what of it cannot be read. */
interface InnerBucket {
  readonly bucket: Bucket | undefined
  readonly onDamage: (damage: { readonly what: string }) => void
}

function innerOf(jobId: string, bucket: Bucket, name: string, tell: Tell): InnerBucket {
  const onDamage = damageTeller(`jobs/${jobId}/${name}`, tell)
  return { bucket: orDamaged(() => bucket.bucket(name), onDamage), onDamage }
}

function valuesIn({ bucket, onDamage }: InnerBucket): StoredValue[] {
  return valuesOf(bucket, onDamage)
}

/** Reads the first executions of a job, and tells behind which key it goes on. */
function executionsIn({ bucket, onDamage }: InnerBucket): {
  readonly values: readonly StoredValue[]
  readonly last: Buffer | null
} {
  const values: StoredValue[] = []
  let bytes = 0
  for (const { key, value } of bucket?.rows({ onDamage }) ?? []) {
    if (value === null) continue
    values.push({ key: keyText(key), json: Buffer.from(value).toString() })
    bytes += value.length
    if (values.length >= RECORDS_A_PIECE || bytes >= BYTES_A_PIECE) return { values, last: Buffer.from(key) }
  }
  return { values, last: null }
}

type FactsOf = (executionId: string) => Omit<NumberingFacts, 'record'>

/** What else tells the meaning of the number of a state: in a file of v1.5.2 or later, an older history. */
function factsIn({ layout: { numbering } }: JobsFile, inner: (name: string) => InnerBucket): FactsOf {
  const older = numbering === 'later' ? valuesIn(inner('execution_history')) : []
  const numbers = lastNumbersOf(older)
  const later = executionsNamedIn(older.length === 0 ? [] : valuesIn(inner('history')))
  return (executionId) => ({
    ofFile: numbering,
    lastInHistory: numbers.get(executionId) ?? null,
    inLaterHistory: later.has(executionId),
  })
}

function unreadIn(values: readonly StoredValue[], heads: readonly unknown[]): string[] {
  return values.flatMap(({ key }, index) => (heads[index] === null ? [key] : []))
}

function damageTeller(place: string, tell: Tell): (damage: { readonly what: string }) => void {
  return ({ what }) => tell(damagedPage('job', place, what))
}
