import type { ImportJob } from '../contract/jobs.ts'
import { StoreError } from '../errors.ts'
import type { KvSnapshot } from '../kv/contract.ts'
import { jsonText } from '../kv/json-text.ts'
import { idTuple } from '../kv/tuple.ts'
import type { RecordKind } from '../model/feed.ts'
import type { HistoryEntry } from '../model/history.ts'
import type { Job } from '../model/job.ts'
import { executionKey } from '../rows/execution-rows.ts'
import { restoreHistoryEntry } from '../rows/history.ts'
import { readSequence } from '../rows/meta.ts'
import type { Mutation } from '../rows/mutation.ts'
import { dropReclaim, endStaging, extendReclaim, stageReclaim } from '../rows/reclaim.ts'
import { holdJob } from './change-job.ts'
import { endedKey, evaluationOfJobKey, evaluationTable, findEvaluation } from './evaluation-row.ts'
import { executionRows, executionTable } from './execution-row.ts'
import { checkImportedJob } from './imported-job.ts'
import { evaluationRowOf, executionRowOf, jobRowOf, specRowOf } from './imported-rows.ts'
import {
  announceJob,
  jobIndexRows,
  jobKey,
  jobTable,
  loadJob,
  loadSpec,
  specKey,
  specTable,
  submitKeyIndexKey,
  toJob,
} from './job-row.ts'
import { refuseTakenId, refuseTakenName } from './submit-job.ts'

/** Keys and bytes that one transaction of an import writes, about. */
const STEP_KEYS = 800
const STEP_BYTES = 2 * 1024 * 1024
/** An import that was begun and not finished for so long is removed again. */
const ABANDONED_MS = 3_600_000
const TAKEN_HINT = 'look at the one that is there; only a job that is not there is brought in'

/** Carries out one transaction. */
type Mutate = <T>(body: (mutation: Mutation) => T) => Promise<T>

/** A record to be written, and how much it is. */
interface Piece {
  readonly keys: number
  readonly bytes: number
  readonly write: (mutation: Mutation, renumber: boolean) => void
}

/** What the records that were written so far add to the counters. */
class Tally {
  specBytes = 0
  readonly #sums = new Map<string, { kind: RecordKind; state: string; records: number; bytes: number }>()

  add(kind: RecordKind, state: string, bytes: number): void {
    const name = `${kind} ${state}`
    const sum = this.#sums.get(name) ?? { kind, state, records: 0, bytes: 0 }
    this.#sums.set(name, { ...sum, records: sum.records + 1, bytes: sum.bytes + bytes })
  }

  count(mutation: Mutation, namespace: string): void {
    for (const { kind, state, records, bytes } of this.#sums.values()) {
      mutation.count(kind, namespace, state, records, bytes)
    }
  }
}

/**
 * Writes an ended job with everything that belongs to it, in several transactions where it is large. Nothing of it
 * is seen before the last one, which announces the job alone, as a deletion does. What an error leaves before that
 * is removed by the next `reclaim`, what a crash leaves by one after an hour.
 */
export async function importJob<Spec>(mutate: Mutate, request: ImportJob<Spec>): Promise<Job<Spec>> {
  const newest = checkImportedJob(request as ImportJob)
  const tally = new Tally()
  const pieces = piecesOf(request as ImportJob, newest, tally)
  const { id } = newest
  const renumber = await mutate((mutation) => begin(mutation, request as ImportJob, newest))
  try {
    for (let from = 0; from < pieces.length; ) {
      const step = stepFrom(pieces, from)
      from += step.length
      await mutate((mutation) => {
        extendReclaim(mutation, jobKey(id), id, mutation.steadyMs + ABANDONED_MS)
        for (const piece of step) piece.write(mutation, renumber)
      })
    }
    return await mutate((mutation) => publish<Spec>(mutation, request as ImportJob, newest, tally))
  } catch (error) {
    // Where the store itself has failed, this fails too, and the rows wait for their hour.
    await mutate((mutation) => {
      endStaging(mutation, jobKey(id), id)
    }).catch(() => undefined)
    throw error
  }
}

function begin(mutation: Mutation, { executions, evaluations, history }: ImportJob, newest: Job): boolean {
  const { rows } = mutation
  const { id, namespace, name } = newest
  refuseTakenId(rows, id, TAKEN_HINT)
  refuseTakenName(rows, namespace, name)
  refuseTakenKey(rows, newest)
  for (const execution of executions) {
    if (rows.get('executions', executionKey(execution.id)) === undefined) continue
    throw new StoreError('EXECUTION_ALREADY_EXISTS', `execution ${execution.id} exists already`, {
      id: execution.id,
      hint: 'it belongs to another job; look at it first',
    })
  }
  for (const evaluation of evaluations) {
    if (findEvaluation(rows, evaluation.id) === undefined) continue
    throw new StoreError('EVALUATION_ALREADY_EXISTS', `evaluation ${evaluation.id} exists already`, {
      id: evaluation.id,
      hint: 'it belongs to another job; look at it first',
    })
  }
  stageReclaim(mutation, jobKey(id), id, mutation.steadyMs + ABANDONED_MS)
  const highest = [...history, ...evaluations].reduce((most, { sequence }) => Math.max(most, sequence), 0)
  // Numbers of another store may lie ahead of this one's, and would be given out again.
  return highest > readSequence(rows).newest
}

function refuseTakenKey(snapshot: KvSnapshot, { id, namespace, submitKey }: Job): void {
  if (submitKey === null || snapshot.get('index', submitKeyIndexKey(namespace, submitKey)) === undefined)
    return
  throw new StoreError(
    'SUBMIT_KEY_CONFLICT',
    `another job of namespace ${namespace} has submit key ${submitKey}`,
    { id, hint: 'remove that one first' },
  )
}

/** Executions and evaluations go where their job goes, whatever namespace they were in. */
function piecesOf(
  { versions, executions, evaluations, history }: ImportJob,
  { namespace }: Job,
  tally: Tally,
): Piece[] {
  return [
    ...versions.map((version) => specPiece(version, history, tally)),
    ...executions.map((execution): Piece => {
      const key = executionKey(execution.id)
      const row = executionRowOf({ ...execution, namespace })
      return {
        keys: 4,
        bytes: sizeOf(execution),
        write(mutation) {
          tally.add('execution', row.state, executionTable.put(mutation.rows, key, row))
          for (const index of executionRows.indexRows({ id: execution.id, key, row }))
            mutation.putIndex(index.key)
        },
      }
    }),
    ...evaluations.map((evaluation): Piece => {
      const key = idTuple('v', evaluation.id)
      return {
        keys: 3,
        bytes: sizeOf(evaluation),
        write(mutation, renumber) {
          const sequence = renumber ? mutation.nextSequence() : evaluation.sequence
          const row = evaluationRowOf({ ...evaluation, namespace }, sequence, mutation.aheadMs)
          tally.add('evaluation', row.status, evaluationTable.put(mutation.rows, key, row))
          mutation.putIndex(evaluationOfJobKey({ key, row }))
          mutation.putIndex(endedKey({ key, row }))
        },
      }
    }),
    ...history.map((entry): Piece => {
      const ownerKey = jobKey(entry.jobId)
      return {
        keys: 1,
        bytes: sizeOf(entry),
        write: (mutation, renumber) =>
          restoreHistoryEntry(
            mutation.rows,
            ownerKey,
            renumber ? mutation.nextSequence() : entry.sequence,
            entry,
          ),
      }
    }),
  ]
}

function specPiece(version: Job, history: readonly HistoryEntry[], tally: Tally): Piece {
  const since = history.find(({ jobVersion }) => jobVersion === version.version)
  const row = specRowOf(version, since?.atMs ?? version.createdAtMs)
  return {
    keys: 1,
    bytes: sizeOf(version),
    write(mutation) {
      tally.specBytes += specTable.put(mutation.rows, specKey(jobKey(version.id), version.version), row)
    },
  }
}

/** The feed and the meta rows of a transaction are small beside the limits, which leave room for them. */
function stepFrom(pieces: readonly Piece[], from: number): Piece[] {
  const step: Piece[] = []
  let keys = 0
  let bytes = 0
  for (const piece of pieces.slice(from, from + STEP_KEYS)) {
    keys += piece.keys
    bytes += piece.bytes
    if (step.length > 0 && (keys > STEP_KEYS || bytes > STEP_BYTES)) break
    step.push(piece)
  }
  return step
}

function sizeOf(record: unknown): number {
  return jsonText('record to be imported', record).length
}

function publish<Spec>(mutation: Mutation, { hold }: ImportJob, newest: Job, tally: Tally): Job<Spec> {
  const { id, namespace, name, labels } = newest
  const key = jobKey(id)
  // Somebody may have taken the name or the submit key meanwhile.
  dropReclaim(mutation, key)
  refuseTakenId(mutation.rows, id, TAKEN_HINT)
  refuseTakenName(mutation.rows, namespace, name)
  refuseTakenKey(mutation.rows, newest)
  const row = jobRowOf(newest, tally.specBytes)
  const bytes = jobTable.put(mutation.rows, key, row)
  for (const index of jobIndexRows({ id, key, row }, { name, labels })) {
    mutation.putIndex(index.key, index.value)
  }
  mutation.count('job', namespace, row.state, 1, bytes + row.specBytes)
  tally.count(mutation, namespace)
  announceJob(mutation, id, row, null)
  if (hold !== undefined) return holdJob<Spec>(mutation, id, hold)
  const job = loadJob(mutation.rows, id)
  return toJob<Spec>(id, job.row, loadSpec(mutation.rows, job), mutation.aheadMs)
}
