import { isShortText } from '../arguments/limits.ts'
import type { KvRow, KvSnapshot, KvStore } from '../kv/contract.ts'
import { decodeId, decodeTuple, endOfTuple, tuple } from '../kv/tuple.ts'
import { executionKey } from '../rows/execution-rows.ts'
import { orUndamaged } from '../rows/quarantine.ts'
import { rowsOf } from '../rows/scan.ts'
import { INDEX } from '../rows/tables.ts'
import { executionTable } from './execution-row.ts'
import { inBatches } from './finished-jobs.ts'
import { jobKey } from './job-row.ts'

/** What the executions of a job count for, at one sequence number of the job's history. */
export interface ExecutionSums {
  /**
   * The newest entry of the history; 0 for none. Every change of an execution adds one, so while it is the newest the
   * sums hold.
   */
  readonly historySequence: number
  /** Records and bytes by state. */
  readonly states: ReadonlyMap<string, { readonly records: number; readonly bytes: number }>
}

/** Returns the sequence number of a job's newest history entry; 0 for none. */
export function newestHistorySequence(snapshot: KvSnapshot, key: Uint8Array): number {
  const [newest] = snapshot.keys('history', { gte: key, lt: endOfTuple(key), reverse: true, limit: 1 })
  return newest === undefined ? 0 : Number(orUndamaged(() => decodeTuple(newest).at(-1)) ?? 0)
}

/** Adds up the executions of a job, a batch in each snapshot, so that deleting it need not look at each of them. */
export async function sumExecutions(kv: KvStore, jobId: string): Promise<ExecutionSums> {
  const sums = new Sums()
  const key = jobKey(jobId)
  // No job has so long an id, and no index has room for it.
  if (!isShortText(jobId)) return { historySequence: 0, states: sums.states }
  const historySequence = kv.read((snapshot) => newestHistorySequence(snapshot, key))
  await inBatches(kv, 'index', tuple(INDEX.executionByJob, key), (snapshot, rows) => {
    for (const row of rows) sums.add(snapshot, row)
  })
  return { historySequence, states: sums.states }
}

/** Does the same in one snapshot. */
export function sumExecutionsNow(snapshot: KvSnapshot, key: Uint8Array): ExecutionSums {
  const sums = new Sums()
  for (const row of rowsOf(snapshot, 'index', tuple(INDEX.executionByJob, key))) sums.add(snapshot, row)
  return { historySequence: newestHistorySequence(snapshot, key), states: sums.states }
}

class Sums {
  readonly states = new Map<string, { records: number; bytes: number }>()

  /** A damaged execution keeps nobody from deleting its job. */
  add(snapshot: KvSnapshot, row: KvRow): void {
    const found = orUndamaged(() => {
      const id = decodeId('e', decodeTuple(row.key).at(-1))
      return executionTable.load(snapshot, executionKey(id))
    })
    if (found === undefined) return
    const sum = this.states.get(found.record.state) ?? { records: 0, bytes: 0 }
    sum.records += 1
    sum.bytes += found.bytes
    this.states.set(found.record.state, sum)
  }
}
