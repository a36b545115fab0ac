/**
 * Work that may have ended its process. When a process dies, every claim that is out is lost, and only one of them may
 * be to blame: where one was out, it counts; where several were, each is a suspect. A suspect is worked on alone, so
 * that the next death tells: then that one counts and stays a suspect, and the others are cleared. So is one that
 * comes to an end or is given back. Long work keeps nobody waiting: after {@link ALONE_MS} others may be worked on
 * beside it, twice as long after each further death that told nothing.
 */

import type { KvSnapshot } from '../kv/contract.ts'
import { decodeId, decodeTuple, tuple } from '../kv/tuple.ts'
import type { JobType } from '../model/job.ts'
import type { Mutation } from '../rows/mutation.ts'
import { orUndamaged } from '../rows/quarantine.ts'
import { INDEX } from '../rows/tables.ts'
import { returnHead } from './evaluation-queue.ts'
import {
  type EvaluationRow,
  findByKey,
  findEvaluation,
  type LeaseRow,
  type LoadedEvaluation,
  readyKey,
  writeEvaluation,
} from './evaluation-row.ts'

/** So long a suspect is worked on alone at first. */
const ALONE_MS = 30_000
/** More than two weeks alone. */
const MOST_DOUBLINGS = 15
const STEP_ROWS = 100

/** How many leases of a process that died were out, as far as it matters who is to blame. */
export type LostTogether = 'one' | 'several'

const LEASED = { gte: tuple(INDEX.evaluationLeased), lt: tuple(INDEX.evaluationLeased + 1) }
const SUSPECTS = { gte: tuple(INDEX.evaluationSuspect), lt: tuple(INDEX.evaluationSuspect + 1) }

/** Tells whether one or several leases that count are out, in a store that nobody works on. */
export function countLost(snapshot: KvSnapshot): LostTogether {
  let counted = 0
  for (const key of snapshot.keys('index', { ...LEASED, limit: 1_000 })) {
    const [row] = rowOrNothing(snapshot, key)
    if (row?.lease !== undefined && isCounted(row.lease)) counted += 1
    if (counted > 1) return 'several'
  }
  return 'one'
}

/**
 * Voids leases that an earlier incarnation gave, at most 100; their claims are no attempts. Returns how many there
 * were. `lost` says whether one or several were out when their process died; without it nobody died, and nobody is to
 * blame.
 */
export function voidLeases(
  mutation: Mutation,
  isVoid: (incarnation: string) => boolean,
  lost: LostTogether | undefined,
): number {
  let voided = 0
  for (const key of mutation.rows.keys('index', { ...LEASED, limit: STEP_ROWS })) {
    const evaluation = findByKey(mutation, key)
    if (evaluation?.row.lease === undefined || !isVoid(evaluation.row.lease.incarnation)) continue
    mutation.removeIndex(key)
    const { lease, suspectedDeaths, ...kept } = evaluation.row
    const blamed = lost !== undefined && isCounted(lease)
    returnHead(mutation, evaluation, {
      ...kept,
      ...(blamed && lost === 'one' ? { lostLeases: (kept.lostLeases ?? 0) + 1 } : {}),
      ...suspicion(suspectedDeaths, lost, blamed),
      attempt: kept.attempt - 1,
      dueSteadyMs: mutation.steadyMs,
      modifiedAtMs: mutation.nowMs,
    })
    voided += 1
  }
  return voided
}

/** A scheduler's work is none that ends a process, and schema 1 left leases behind in good order too. */
function isCounted(lease: LeaseRow): boolean {
  return lease.isLossFree === undefined && lease.givenSteadyMs !== undefined
}

function suspicion(
  before: number | undefined,
  lost: LostTogether | undefined,
  blamed: boolean,
): { readonly suspectedDeaths?: number } {
  if (blamed && lost === 'several') return { suspectedDeaths: (before ?? 0) + 1 }
  // The culprit stays one until it comes to an end.
  if (blamed && lost === 'one') return { suspectedDeaths: before ?? 1 }
  return before === undefined ? {} : { suspectedDeaths: before }
}

/** Clears suspects that have lost no lease of their own, at most 100. Returns how many there were. */
export function clearSuspects(mutation: Mutation): number {
  const suspects = loadSuspects(mutation).filter(({ row }) => row.lostLeases === undefined)
  for (const suspect of suspects) {
    const { suspectedDeaths: _suspect, ...row } = suspect.row
    writeEvaluation(mutation, suspect, { ...suspect, row })
  }
  return suspects.length
}

/**
 * Returns the suspect whose turn it is, `null` where nothing may be claimed for now, and `undefined` where no suspect
 * can be worked on, so that everything else may.
 */
export function turnOfSuspects(
  mutation: Mutation,
  types: readonly JobType[],
): LoadedEvaluation | null | undefined {
  const { rows, steadyMs } = mutation
  const suspects = loadSuspects(mutation)
  if (suspects.some(({ row }) => isOnTrial(row, steadyMs))) return null
  let first: { readonly order: Uint8Array; readonly evaluation: LoadedEvaluation } | undefined
  for (const evaluation of suspects) {
    const { row } = evaluation
    if (!types.includes(row.jobType) || !isReady(rows, row)) continue
    const order = readyKey(row)
    if (first === undefined || Buffer.compare(order, first.order) < 0) first = { order, evaluation }
  }
  if (first === undefined) return undefined
  return leasedRows(rows).some((row) => isOnTrial(row, steadyMs)) ? null : first.evaluation
}

/**
 * Returns until when, by the clock of leases, nothing may be claimed because a suspect is worked on, or waits to be,
 * alone; `null` where that is not so.
 */
export function blockedUntilMs(snapshot: KvSnapshot, steadyMs: number): number | null {
  const suspects = snapshot
    .keys('index', { ...SUSPECTS, limit: STEP_ROWS })
    .flatMap((key) => rowOrNothing(snapshot, key))
  const [first] = suspects
  if (first === undefined) return null
  const leased = suspects.some((row) => isReady(snapshot, row)) ? leasedRows(snapshot) : suspects
  const ends = leased.filter((row) => isOnTrial(row, steadyMs)).map(trialEndMs)
  return ends.length === 0 ? null : Math.max(...ends)
}

/** Whether it has been worked on for so short a time that a death now would be laid to it. */
function isOnTrial(row: EvaluationRow, steadyMs: number): boolean {
  return row.lease !== undefined && row.lease.isLossFree !== true && steadyMs < trialEndMs(row)
}

function trialEndMs({ lease, suspectedDeaths: deaths = 1 }: EvaluationRow): number {
  return Math.min(
    (lease?.givenSteadyMs ?? 0) + ALONE_MS * 2 ** Math.min(deaths - 1, MOST_DOUBLINGS),
    lease?.expiresSteadyMs ?? 0,
  )
}

function isReady(snapshot: KvSnapshot, row: EvaluationRow): boolean {
  return row.lease === undefined && snapshot.get('index', readyKey(row)) !== undefined
}

function leasedRows(snapshot: KvSnapshot): EvaluationRow[] {
  return snapshot.keys('index', { ...LEASED, limit: STEP_ROWS }).flatMap((key) => rowOrNothing(snapshot, key))
}

function rowOrNothing(snapshot: KvSnapshot, indexKey: Uint8Array): EvaluationRow[] {
  const found = orUndamaged(() => findEvaluation(snapshot, decodeId('v', decodeTuple(indexKey).at(-1))))
  return found === undefined ? [] : [found.row]
}

function loadSuspects(mutation: Mutation): LoadedEvaluation[] {
  return mutation.rows.keys('index', { ...SUSPECTS, limit: STEP_ROWS }).flatMap((key) => {
    const evaluation = findByKey(mutation, key)
    if (evaluation?.row.suspectedDeaths !== undefined) return [evaluation]
    // Of a damaged or a removed one nothing is to be learned.
    mutation.removeIndex(key)
    return []
  })
}
