import {
  type ComputeGeneration,
  type JobParts,
  keyText,
  type Note,
  orDamaged,
  readComputeExecution,
  readJob,
  type StoredComputeExecution,
  type StoredJob,
  type Tell,
  takeStoredJob,
  type ValueVisitor,
  valuesOf,
  type WholeBacalhauJob,
  type WholeComputeExecution,
  wrongRow,
} from '@saltcod/bacalhau-records'
import type { BoltFile, BoltSnapshot } from '@saltcod/store-bolt'
import type { BacalhauFiles, JobsFile } from './bacalhau-files.ts'

/** Jobs that are read within one snapshot: a running Bacalhau commits all the time. */
const JOBS_A_PIECE = 100
const EXECUTIONS_A_PIECE = 500

/** A job of Bacalhau, and where it was read. */
export interface FoundJob {
  readonly whole: WholeBacalhauJob
  readonly path: string
  /** Bytes of its values in the file. */
  readonly bytes: number
}

/** An execution of a compute node of Bacalhau, and where it was read. */
export interface FoundExecution {
  readonly whole: WholeComputeExecution
  readonly path: string
  readonly bytes: number
}

/** A job as it stands in a file of Bacalhau. */
export interface FoundStoredJob {
  /** `null` where it is longer than what was said to be large. */
  readonly stored: StoredJob | null
  readonly file: JobsFile
  /** The name of its bucket. */
  readonly key: Buffer
}

/**
 * Yields every job of the files in the order of their ids, the newest generation first; a job that an older one has
 * too comes once. What cannot be read is told of and passed over.
 */
export async function* eachBacalhauJob(
  files: BacalhauFiles,
  parts: JobParts,
  tell: Tell,
): AsyncGenerator<FoundJob> {
  for await (const { stored, file } of eachStoredJob(files, parts, tell)) {
    const whole = stored === null ? null : readJob(stored, file.layout.numbering, tell)
    if (whole !== null && stored !== null) yield { whole, path: file.path, bytes: bytesOf(stored) }
  }
}

/**
 * Yields the same as the texts that stand there. Of jobs that have more than `largeBytes` only the key is given; where
 * nothing is large, one that is too long for memory is told of and passed over.
 */
export async function* eachStoredJob(
  files: BacalhauFiles,
  parts: JobParts,
  tell: Tell,
  largeBytes: number | null = null,
): AsyncGenerator<FoundStoredJob> {
  const newer: string[] = []
  for (const file of files.jobs) {
    const { bolt, path, layout } = file
    const pieces = bolt.pieces(
      ['jobs'],
      ({ key, bucket }): TakenJob => {
        const id = keyText(key)
        if (bucket === null)
          return { stored: null, key, notes: [wrongRow('job', id, `jobs/${id}`, 'a value, no bucket')] }
        // Told only once the piece counts.
        const notes: Note[] = []
        const maxBytes = largeBytes === null ? {} : { maxBytes: largeBytes }
        const wanted = { parts, numbering: layout.numbering, ...maxBytes }
        const stored = takeStoredJob(id, bucket, wanted, (note) => notes.push(note))
        return { stored, key: Buffer.from(key), notes }
      },
      { maxRows: JOBS_A_PIECE, onDamage: ({ what }) => tell(damagedPage('job', 'jobs', what)) },
    )
    for await (const { values } of pieces) {
      for (const { stored, key, notes } of values) {
        const isTooLong = notes.some(({ code }) => code === 'too-large')
        const isLarge = isTooLong && largeBytes !== null
        // Whoever reads it record by record is told all of it again.
        if (!isLarge) for (const note of notes) tell(note)
        if (stored === null) continue
        if (await isInNewer(files, newer, stored.id)) tell(secondCopy('job', stored.id, `jobs/${stored.id}`))
        else if (isLarge) yield { stored: null, file, key }
        else if (!isTooLong) yield { stored, file, key }
      }
    }
    newer.push(path)
  }
}

interface TakenJob {
  readonly stored: StoredJob | null
  readonly key: Buffer
  readonly notes: readonly Note[]
}

async function isInNewer(files: BacalhauFiles, newer: readonly string[], id: string): Promise<boolean> {
  for (const { path, bolt } of files.jobs) {
    if (!newer.includes(path)) continue
    if (
      await bolt.read((snapshot) =>
        orDamaged(
          () => snapshot.bucket(['jobs', id]) !== undefined,
          () => {},
        ),
      )
    )
      return true
  }
  return false
}

/** Yields every execution of the compute node likewise. */
export async function* eachBacalhauExecution(
  files: BacalhauFiles,
  tell: Tell,
): AsyncGenerator<FoundExecution> {
  const newer: { readonly path: string; readonly bucket: string }[] = []
  for (const { bolt, path, layout } of files.executions) {
    for (const generation of layout.generations) {
      const { executions } = generation
      const pieces = bolt.pieces(
        [executions],
        ({ key, value }, snapshot) => takeStoredExecution(key, value, generation, snapshot),
        {
          maxRows: EXECUTIONS_A_PIECE,
          onDamage: ({ what }) => tell(damagedPage('execution', executions, what)),
        },
      )
      for await (const { values } of pieces) {
        for (const { stored, notes } of values) {
          for (const note of notes) tell(note)
          if (stored === null) continue
          if (await isExecutionInNewer(files, newer, stored.id)) {
            tell(secondCopy('execution', stored.id, `${executions}/${stored.id}`))
            continue
          }
          const whole = readComputeExecution(stored, generation, tell)
          const bytes = stored.json.length + stored.history.reduce((sum, { json }) => sum + json.length, 0)
          if (whole !== null) yield { whole, path, bytes }
        }
      }
      await tellLoneHistories(bolt, generation, tell)
      newer.push({ path, bucket: executions })
    }
  }
}

interface TakenExecution {
  readonly stored: StoredComputeExecution | null
  /** Told only once the piece counts. */
  readonly notes: readonly Note[]
}

function takeStoredExecution(
  key: Buffer,
  value: Buffer | null,
  { executions, history }: ComputeGeneration,
  snapshot: BoltSnapshot,
): TakenExecution {
  const id = keyText(key)
  const place = `${history}/${id}`
  if (value === null) {
    return { stored: null, notes: [wrongRow('execution', id, `${executions}/${id}`, 'a bucket, no value')] }
  }
  const notes: Note[] = []
  const visitor: ValueVisitor = {
    takes: () => true,
    isBucket: (inner) =>
      notes.push(wrongRow('history', id, `${place}/${keyText(inner)}`, 'a bucket where a value should be')),
  }
  const onDamage = ({ what }: { readonly what: string }): void => {
    notes.push(damagedPage('history', place, what))
  }
  const entries = orDamaged(() => snapshot.bucket([history, key]), onDamage)
  return { stored: { id, json: value.toString(), history: valuesOf(entries, onDamage, visitor) }, notes }
}

/** Tells of histories whose executions are not there. */
async function tellLoneHistories(
  bolt: BoltFile,
  { executions, history }: ComputeGeneration,
  tell: Tell,
): Promise<void> {
  const pieces = bolt.pieces(
    [history],
    ({ key }, snapshot) => {
      const isKnown = orDamaged(
        () => snapshot.bucket([executions])?.row(key) !== undefined,
        () => {},
      )
      return isKnown === false ? keyText(key) : null
    },
    { maxRows: EXECUTIONS_A_PIECE, onDamage: ({ what }) => tell(damagedPage('history', history, what)) },
  )
  for await (const { values } of pieces) {
    for (const id of values) {
      if (id === null) continue
      const note = { kind: 'left-out', record: 'history', id, place: `${history}/${id}` } as const
      tell({ ...note, code: 'wrong-place', message: 'its execution is not in the file; it is left out' })
    }
  }
}

async function isExecutionInNewer(
  files: BacalhauFiles,
  newer: readonly { readonly path: string; readonly bucket: string }[],
  id: string,
): Promise<boolean> {
  for (const { path, bucket } of newer) {
    const bolt = files.executions.find((file) => file.path === path)?.bolt
    if (
      bolt !== undefined &&
      (await bolt.read((snapshot) =>
        orDamaged(
          () => snapshot.bucket([bucket])?.get(id) !== undefined,
          () => {},
        ),
      ))
    )
      return true
  }
  return false
}

function secondCopy(record: 'job' | 'execution', id: string, place: string): Note {
  return {
    kind: 'left-out',
    record,
    id,
    place,
    code: 'second-copy',
    message: 'a newer file of the repository has it too, and that one counts',
  }
}

/** The note of a page that cannot be read. */
export function damagedPage(record: Note['record'], place: string, what: string): Note {
  return {
    kind: 'left-out',
    record,
    id: '',
    place,
    code: 'damaged-page',
    message: `${what}; what stood there is left out`,
  }
}

function bytesOf(stored: StoredJob): number {
  const { spec, versions, executions, evaluations, jobHistory, executionHistory, history } = stored
  const all = [versions, executions, evaluations, jobHistory, executionHistory, history]
  return all.reduce(
    (sum, values) => sum + values.reduce((part, { json }) => part + json.length, 0),
    spec?.length ?? 0,
  )
}
