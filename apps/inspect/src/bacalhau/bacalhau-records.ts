import {
  type ComputeGeneration,
  type JobParts,
  keyText,
  type Note,
  readComputeExecution,
  readJob,
  type StoredComputeExecution,
  type StoredJob,
  type Tell,
  takeStoredJob,
  valuesOf,
  type WholeBacalhauJob,
  type WholeComputeExecution,
} from '@saltcod/bacalhau-records'
import type { BacalhauFiles } from './bacalhau-files.ts'

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

/**
 * Yields every job of the files in the order of their ids, the newest generation first; a job that an older one has
 * too comes once. What cannot be read is told of and passed over.
 */
export async function* eachBacalhauJob(
  files: BacalhauFiles,
  parts: JobParts,
  tell: Tell,
): AsyncGenerator<FoundJob> {
  const newer: string[] = []
  for (const file of files.jobs) {
    const { bolt, path, layout } = file
    const pieces = bolt.pieces(
      ['jobs'],
      ({ key, bucket }): { readonly stored: StoredJob; readonly notes: readonly Note[] } | null => {
        if (bucket === null) return null
        // Told only once the piece counts.
        const notes: Note[] = []
        const wanted = { parts, numbering: layout.numbering }
        return { stored: takeStoredJob(keyText(key), bucket, wanted, (note) => notes.push(note)), notes }
      },
      { maxRows: JOBS_A_PIECE, onDamage: ({ what }) => tell(damagedPage('job', 'jobs', what)) },
    )
    for await (const { values } of pieces) {
      for (const value of values) {
        if (value === null) continue
        for (const note of value.notes) tell(note)
        if (await isInNewer(files, newer, value.stored.id)) {
          tell(secondCopy('job', value.stored.id, `jobs/${value.stored.id}`))
          continue
        }
        const whole = readJob(value.stored, layout.numbering, tell)
        if (whole !== null) yield { whole, path, bytes: bytesOf(value.stored) }
      }
    }
    newer.push(path)
  }
}

async function isInNewer(files: BacalhauFiles, newer: readonly string[], id: string): Promise<boolean> {
  for (const { path, bolt } of files.jobs) {
    if (!newer.includes(path)) continue
    if (await bolt.read((snapshot) => snapshot.bucket(['jobs', id]) !== undefined)) return true
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
        ({ key, value }, snapshot): StoredComputeExecution | null => {
          if (value === null) return null
          const id = keyText(key)
          const history = valuesOf(snapshot.bucket([generation.history, key]), () => {})
          return { id, json: value.toString(), history }
        },
        {
          maxRows: EXECUTIONS_A_PIECE,
          onDamage: ({ what }) => tell(damagedPage('execution', executions, what)),
        },
      )
      for await (const { values } of pieces) {
        for (const stored of values) {
          if (stored === null) continue
          if (await isExecutionInNewer(files, newer, stored.id)) {
            tell(secondCopy('execution', stored.id, `${executions}/${stored.id}`))
            continue
          }
          const whole = readOne(stored, generation, tell)
          const bytes = stored.json.length + stored.history.reduce((sum, { json }) => sum + json.length, 0)
          if (whole !== null) yield { whole, path, bytes }
        }
      }
      newer.push({ path, bucket: executions })
    }
  }
}

function readOne(
  stored: StoredComputeExecution,
  generation: ComputeGeneration,
  tell: Tell,
): WholeComputeExecution | null {
  return readComputeExecution(stored, generation, tell)
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
      (await bolt.read((snapshot) => snapshot.bucket([bucket])?.get(id) !== undefined))
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
