import { StoreError } from '../errors.ts'
import { endedKey, evaluationOfJobKey, evaluationTable } from '../jobs/evaluation-row.ts'
import { executionRows, executionTable } from '../jobs/execution-row.ts'
import { evaluationRowOf, executionRowOf, jobRowOf, specRowOf } from '../jobs/imported-rows.ts'
import {
  hasEnded,
  type JobRow,
  jobIndexRows,
  jobKey,
  jobTable,
  type SpecRow,
  specKey,
  specTable,
} from '../jobs/job-row.ts'
import { checkKey, checkValue } from '../kv/arguments.ts'
import { type KvRow, type KvTransaction, MAX_TRANSACTION_BYTES } from '../kv/contract.ts'
import { idTuple } from '../kv/tuple.ts'
import type { Evaluation } from '../model/evaluation.ts'
import type { Execution } from '../model/execution.ts'
import type { Job } from '../model/job.ts'
import type { StateCount } from '../model/store-info.ts'
import { executionKey } from '../rows/execution-rows.ts'
import type { IndexRow } from '../rows/index-row.ts'
import type { TableName } from '../rows/tables.ts'

const EMPTY = new Uint8Array(0)

/** A row for a store that is being made. */
export interface LoadRow {
  readonly table: TableName
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** One record that is to be counted. */
export type CountedRecord = Omit<StateCount, 'records'>

/** What is put, as a list: of a store that is being made nothing can be read yet. */
export class RowList implements KvTransaction {
  readonly all: LoadRow[] = []

  put(table: string, key: Uint8Array, value: Uint8Array): void {
    checkKey(key)
    checkValue(value)
    if (key.length + value.length > MAX_TRANSACTION_BYTES) {
      throw new StoreError(
        'INVALID_ARGUMENT',
        `a row of ${value.length} bytes is longer than a store takes`,
        {
          actual: value.length,
          expected: MAX_TRANSACTION_BYTES,
        },
      )
    }
    this.all.push({ table: table as TableName, key, value })
  }

  index(rows: readonly IndexRow[]): void {
    for (const { key, value } of rows) this.put('index', key, value)
  }

  get(): undefined {
    return undefined
  }

  range(): KvRow[] {
    return []
  }

  keys(): Uint8Array[] {
    return []
  }

  remove(): boolean {
    return false
  }
}

/** Puts the rows of a job, without its records; `sinceOf` tells since when there is a version, where that is known. */
export function putJob(
  rows: RowList,
  versions: readonly Job[],
  newest: Job,
  sinceOf: (version: number) => number | undefined,
): CountedRecord {
  const { id, namespace } = newest
  const key = jobKey(id)
  let specBytes = 0
  let ofNewest: SpecRow | undefined
  for (const version of versions) {
    ofNewest = specRowOf(version, sinceOf(version.version) ?? version.createdAtMs)
    specBytes += specTable.put(rows, specKey(key, version.version), ofNewest)
  }
  const row = loadedJobRow(newest, specBytes)
  const bytes = jobTable.put(rows, key, row)
  rows.index(jobIndexRows({ id, key, row }, ofNewest))
  return { kind: 'job', namespace, state: row.state, bytes: bytes + specBytes }
}

/** Puts the rows of an execution of a job. */
export function putExecution(rows: RowList, execution: Execution): CountedRecord {
  const { id, namespace } = execution
  const key = executionKey(id)
  const row = executionRowOf(execution)
  const bytes = executionTable.put(rows, key, row)
  rows.index(executionRows.indexRows({ id, key, row }))
  return { kind: 'execution', namespace, state: row.state, bytes }
}

/** Puts the rows of an evaluation of a job. */
export function putEvaluation(rows: RowList, evaluation: Evaluation, sequence: number): CountedRecord {
  const key = idTuple('v', evaluation.id)
  const row = evaluationRowOf(evaluation, sequence, 0)
  const bytes = evaluationTable.put(rows, key, row)
  rows.put('index', evaluationOfJobKey({ key, row }), EMPTY)
  rows.put('index', endedKey({ key, row }), EMPTY)
  return { kind: 'evaluation', namespace: evaluation.namespace, state: row.status, bytes }
}

/** A job in progress keeps its deadline; steady time is that of the clock in a store that is new. */
function loadedJobRow(job: Job, specBytes: number): JobRow {
  const row = jobRowOf(job, specBytes)
  return hasEnded(row) || job.deadlineAtMs === null ? row : { ...row, deadlineSteadyMs: job.deadlineAtMs }
}
