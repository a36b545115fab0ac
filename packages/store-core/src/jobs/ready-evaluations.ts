import type { KvSnapshot } from '../kv/contract.ts'
import { decodeIdTuple, endOfTuple, tuple } from '../kv/tuple.ts'
import type { Evaluation } from '../model/evaluation.ts'
import type { JobType } from '../model/job.ts'
import type { Mutation } from '../rows/mutation.ts'
import { orUndamaged } from '../rows/quarantine.ts'
import { aheadOf, type Moment } from '../rows/steady-clock.ts'
import { INDEX } from '../rows/tables.ts'
import { precedes } from './evaluation-queue.ts'
import {
  type EvaluationRow,
  findEvaluation,
  isWaiting,
  type LoadedEvaluation,
  readyKey,
  readyPrefix,
  toEvaluation,
} from './evaluation-row.ts'

/** What is ready, as far as a reader sees. */
interface ReadyEvaluations {
  readonly evaluations: readonly Evaluation[]
  /** Time or damage has made something that only a change of the queue puts where it belongs. */
  readonly isUntidy: boolean
}

/** Returns the evaluations that are ready, of all these types, in the order in which they are to be worked on. */
export function readyEvaluations(
  snapshot: KvSnapshot,
  types: readonly JobType[],
  limit: number,
  moment: Moment,
): ReadyEvaluations {
  const found = types.flatMap((type) => {
    const prefix = readyPrefix(type)
    const rows = snapshot.range('index', { gte: prefix, lt: endOfTuple(prefix), limit })
    return rows.flatMap(({ key, value }) => {
      const evaluation = undamagedAt(snapshot, value)
      return evaluation === undefined ? [] : [{ ...evaluation, isInPlace: isInPlace(key, evaluation.row) }]
    })
  })
  const evaluations = found
    .filter((evaluation) => evaluation.isInPlace)
    .sort((a, b) => (precedes(a.row, b.row) ? -1 : 1))
    .slice(0, limit)
    .map(({ id, row }) => toEvaluation(id, row, aheadOf(moment)))
  const isUntidy =
    isQueueBehind(snapshot, moment.steadyMs) || found.some((evaluation) => !evaluation.isInPlace)
  return { evaluations, isUntidy }
}

/** Tells whether a row of the index names a ready evaluation by its true key. */
export function isInPlace(key: Uint8Array, row: EvaluationRow): boolean {
  return isWaiting(row) && Buffer.compare(key, readyKey(row)) === 0
}

function undamagedAt(snapshot: KvSnapshot, value: Uint8Array): LoadedEvaluation | undefined {
  return orUndamaged(() => findEvaluation(snapshot, decodeIdTuple('v', value)))
}

/** Tells whether time has made something ready that does not stand there yet: a lease ran out, or a due time came. */
function isQueueBehind(snapshot: KvSnapshot, steadyMs: number): boolean {
  return [INDEX.evaluationLeased, INDEX.evaluationWaiting].some((stretch) => {
    const prefix = tuple(stretch)
    return snapshot.keys('index', { gte: prefix, lt: tuple(prefix, steadyMs + 1), limit: 1 }).length > 0
  })
}

/** Tells whether an evaluation stands where the next worker would get it. */
export function isReady(mutation: Mutation, { row }: LoadedEvaluation): boolean {
  return isWaiting(row) && mutation.rows.get('index', readyKey(row)) !== undefined
}
