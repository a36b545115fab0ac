import type { WholeBacalhauJob } from '@saltcod/bacalhau-records'
import type { Evaluation, Execution, HistoryEntry, Job, Json } from '@saltcod/store-core'
import { evaluationRow, executionRow, historyRow, jobRow } from '../store/rows.ts'
import { differencesOf, type RecordDifference, type RecordRow } from './record-differences.ts'
import { entryRefusal } from './refused-record.ts'

/** What a store of ours has of a job. */
export interface StoredHere {
  readonly versions: readonly Job[]
  readonly executions: readonly Execution[]
  readonly evaluations: readonly Evaluation[]
  readonly history: readonly HistoryEntry[]
}

/** The topic of what an import writes into a history. */
const IMPORT_TOPIC = 'Import'

/** What an import may change of a record that was in progress. */
const SETTLED: ReadonlySet<string> = new Set([
  ...['state', 'stateMessage', 'endReason', 'stateSince', 'modifiedAt', 'finishedAt', 'deadlineAt'],
  ...['desiredState', 'desiredMessage', 'revision', 'acknowledgedRevision'],
])

/** Lists what a store of ours has otherwise than a file of Bacalhau, each with the reason where there is one. */
export function jobDifferences(before: WholeBacalhauJob, after: StoredHere): RecordDifference[] {
  const newest = before.versions.at(-1)
  if (newest === undefined) return []
  const changes = after.history.filter(({ event }) => event.topic === IMPORT_TOPIC)
  const ofJob = settledBy(changes, null)
  const name = after.versions.at(-1)?.name ?? ''
  const found: RecordDifference[] = []
  for (const version of before.versions) {
    const other = after.versions.find((job) => job.version === version.version)
    const id = before.versions.length === 1 ? version.id : `${version.id} version ${version.version}`
    if (other === undefined) {
      found.push(missing('job', id, jobRow(version)))
      continue
    }
    const rowOf = (job: Job): RecordRow => ({ ...jobRow(job), spec: job.spec as Json })
    const reasonOf = (field: string): string | null => {
      if (field === 'name' && name === `${version.name}-${version.id.replace(/^j-/, '')}`)
        return 'another job of its namespace has the name here'
      // Bacalhau's own versions have the state of the job, and with it when that was changed last.
      if (field === 'modifiedAt' && version.version < newest.version)
        return 'of a version that another one followed the time at which it came is kept'
      return ofJob(field)
    }
    found.push(...differencesOf({ record: 'job', id, before: rowOf(version), after: rowOf(other), reasonOf }))
  }
  found.push(
    ...each('execution', before.executions, after.executions, (execution) => ({
      row: executionRow(execution, null),
      reasonOf: settledBy(changes, execution.id),
    })),
  )
  found.push(
    ...each('evaluation', before.evaluations, after.evaluations, (evaluation) => ({
      row: without(evaluationRow(evaluation), 'sequence'),
      reasonOf: (field) =>
        field === 'status' || field === 'comment' || field === 'modifiedAt'
          ? 'Bacalhau never notes how an evaluation ended; an import closes it'
          : null,
    })),
  )
  found.push(...historyDifferences('history', newest.id, before.history, after.history))
  return found
}

/**
 * Compares two histories entry by entry; what an import added is told with its reason. Sequence numbers are those of a
 * store.
 */
export function historyDifferences(
  record: 'history' | 'compute-history',
  id: string,
  before: readonly HistoryEntry[],
  after: readonly HistoryEntry[],
): RecordDifference[] {
  const imported = after.filter(({ event }) => event.topic === IMPORT_TOPIC)
  const kept = after.filter(({ event }) => event.topic !== IMPORT_TOPIC)
  const placeOf = (index: number): string => `${id} entry ${index + 1}`
  let next = 0
  const found = before.flatMap((entry, index): RecordDifference[] => {
    if (entryRefusal(entry) !== null) {
      return [{ ...missing(record, placeOf(index), historyRow(entry)), what: 'left-out' }]
    }
    const other = kept[next]
    next += 1
    if (other === undefined) return [missing(record, placeOf(index), historyRow(entry))]
    const rows = {
      before: without(historyRow(entry), 'sequence'),
      after: without(historyRow(other), 'sequence'),
    }
    return differencesOf({ record, id: placeOf(index), ...rows, reasonOf: () => null })
  })
  const added = (entry: HistoryEntry, reason: string | null): RecordDifference => ({
    record,
    id,
    what: 'added',
    field: '',
    before: null,
    after: historyRow(entry),
    reason,
  })
  return [
    ...found,
    ...kept.slice(next).map((entry) => added(entry, null)),
    ...imported.map((entry) => added(entry, 'an import notes what it changed')),
  ]
}

/** Returns what tells why an import changed a field of a record, by what it wrote into the history. */
export function settledBy(
  changes: readonly HistoryEntry[],
  executionId: string | null,
): (field: string) => string | null {
  const change = changes.find((entry) => entry.executionId === executionId)
  return (field) => (change !== undefined && SETTLED.has(field) ? change.event.message : null)
}

/** The difference that a record is not there. */
export function missing(record: RecordDifference['record'], id: string, before: Json): RecordDifference {
  return { record, id, what: 'missing', field: '', before, after: null, reason: null }
}

function each<T extends { readonly id: string }>(
  record: 'execution' | 'evaluation',
  before: readonly T[],
  after: readonly T[],
  look: (one: T) => { readonly row: RecordRow; readonly reasonOf: (field: string) => string | null },
): RecordDifference[] {
  const others = new Map(after.map((one) => [one.id, one]))
  const found = before.flatMap((one): RecordDifference[] => {
    const other = others.get(one.id)
    others.delete(one.id)
    const { row, reasonOf } = look(one)
    if (other === undefined) return [missing(record, one.id, row)]
    return differencesOf({ record, id: one.id, before: row, after: look(other).row, reasonOf })
  })
  const added = [...others.values()].map(
    (one): RecordDifference => ({
      record,
      id: one.id,
      what: 'added',
      field: '',
      before: null,
      after: look(one).row,
      reason: null,
    }),
  )
  return [...found, ...added]
}

function without(row: RecordRow, name: string): RecordRow {
  return Object.fromEntries(Object.entries(row).filter(([field]) => field !== name))
}
