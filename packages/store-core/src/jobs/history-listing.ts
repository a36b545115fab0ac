import { decodeTuple, idTuple, tuple } from '../kv/tuple.ts'
import type { HistoryEntry } from '../model/history.ts'
import { historyTable, toHistoryEntry } from '../store/history.ts'
import type { Listing } from '../store/pager.ts'
import type { HistoryQuery } from './job-store.ts'

/** The listing of a job's history that a query asks for. */
export function historyListing(query: HistoryQuery): Listing<HistoryEntry> {
  const { jobId, jobVersion, level, executionIdPrefix, nodeIdPrefix, sinceMs, afterSequence } = query
  const prefix = idTuple('j', jobId)
  return {
    table: 'history',
    prefix,
    ...(afterSequence === undefined ? {} : { gte: tuple(prefix, afterSequence + 1) }),
    query: ['history', jobId, jobVersion, level, executionIdPrefix, nodeIdPrefix, sinceMs, afterSequence],
    idOf: (key) => `${jobId} entry ${String(decodeTuple(key).at(-1))}`,
    load: (key, value) => {
      const entry = toHistoryEntry(jobId, key, historyTable.decode(key, value))
      const wanted =
        (jobVersion === undefined || entry.jobVersion === jobVersion) &&
        (level === undefined || entry.level === level) &&
        (executionIdPrefix === undefined || (entry.executionId ?? '').startsWith(executionIdPrefix)) &&
        (nodeIdPrefix === undefined || (entry.nodeId ?? '').startsWith(nodeIdPrefix)) &&
        (sinceMs === undefined || entry.atMs >= sinceMs)
      return wanted ? entry : undefined
    },
  }
}
