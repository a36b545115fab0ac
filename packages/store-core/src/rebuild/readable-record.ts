import { computeTable } from '../executions/compute-row.ts'
import { evaluationTable } from '../jobs/evaluation-row.ts'
import { executionTable } from '../jobs/execution-row.ts'
import { jobTable, specTable } from '../jobs/job-row.ts'
import type { Json } from '../kv/json.ts'
import { feedTable } from '../rows/feed-entry.ts'
import { historyTable } from '../rows/history.ts'
import type { StoreKind } from '../rows/meta.ts'
import { reclaimTable } from '../rows/reclaim.ts'
import type { RecordTable } from '../rows/record-table.ts'
import { requestTable } from '../rows/requests.ts'

type Tables = Readonly<Record<string, RecordTable<unknown> | undefined>>

const SHARED = { history: historyTable, feed: feedTable, requests: requestTable, reclaim: reclaimTable }
const TABLES = {
  jobs: {
    ...SHARED,
    jobs: jobTable,
    specs: specTable,
    executions: executionTable,
    evaluations: evaluationTable,
  },
  executions: { ...SHARED, executions: computeTable },
} as unknown as Readonly<Record<StoreKind, Tables>>

/** Returns a record as it stands in a table, with readable names; where the table has none for it, as it is. */
export function readableRecord(kind: StoreKind, table: string, record: Json): Json {
  return (TABLES[kind][table]?.fromDisk(record) ?? record) as Json
}

/** Returns a record that {@link readableRecord} gave, with the names that it has on disk. */
export function storedRecord(kind: StoreKind, table: string, record: Json): Json {
  return (TABLES[kind][table]?.toDisk(record) ?? record) as Json
}
