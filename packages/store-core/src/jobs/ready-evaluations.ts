import type { KvSnapshot } from '../kv/contract.ts'
import { decodeIdTuple, endOfTuple, tuple } from '../kv/tuple.ts'
import type { Evaluation } from '../model/evaluation.ts'
import type { JobType } from '../model/job.ts'
import type { Mutation } from '../rows/mutation.ts'
import { orUndamaged } from '../rows/quarantine.ts'
import { INDEX } from '../rows/tables.ts'
import { precedes } from './evaluation-queue.ts'
import {
  findEvaluation,
  isWaiting,
  type LoadedEvaluation,
  readyKey,
  readyPrefix,
  toEvaluation,
} from './evaluation-row.ts'

/** Returns the evaluations that are ready, of all these types, in the order in which they are to be worked on. */
export function readyEvaluations(
  snapshot: KvSnapshot,
  types: readonly JobType[],
  limit: number,
  aheadMs: number,
): Evaluation[] {
  const found = types.flatMap((type) => {
    const prefix = readyPrefix(type)
    const rows = snapshot.range('index', { gte: prefix, lt: endOfTuple(prefix), limit })
    return rows.flatMap(({ value }) => undamagedAt(snapshot, value) ?? [])
  })
  return found
    .filter(({ row }) => isWaiting(row))
    .sort((a, b) => (precedes(a.row, b.row) ? -1 : 1))
    .slice(0, limit)
    .map(({ id, row }) => toEvaluation(id, row, aheadMs))
}

/** A claim finds the damaged ones and cleans up behind them. */
function undamagedAt(snapshot: KvSnapshot, value: Uint8Array): LoadedEvaluation | undefined {
  return orUndamaged(() => findEvaluation(snapshot, decodeIdTuple('v', value)))
}

/** Tells whether time has made something ready that does not stand there yet: a lease ran out, or a due time came. */
export function isQueueBehind(snapshot: KvSnapshot, steadyMs: number): boolean {
  return [INDEX.evaluationLeased, INDEX.evaluationWaiting].some((stretch) => {
    const prefix = tuple(stretch)
    return snapshot.keys('index', { gte: prefix, lt: tuple(prefix, steadyMs + 1), limit: 1 }).length > 0
  })
}

/** Tells whether an evaluation stands where the next worker would get it. */
export function isReady(mutation: Mutation, { row }: LoadedEvaluation): boolean {
  return isWaiting(row) && mutation.rows.get('index', readyKey(row)) !== undefined
}
