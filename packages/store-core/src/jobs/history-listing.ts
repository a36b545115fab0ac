import { requireOptionalText } from '../arguments/argument-types.ts'
import { checkOptionalChoice, checkOptionalInteger, checkTime } from '../arguments/limits.ts'
import type { HistoryQuery } from '../contract/history.ts'
import type { KvSnapshot } from '../kv/contract.ts'
import { decodeTuple, tuple } from '../kv/tuple.ts'
import type { HistoryEntry } from '../model/history.ts'
import { historyTable, toHistoryEntry } from '../rows/history.ts'
import type { Listing } from '../rows/pager.ts'
import { isDeleted } from '../rows/reclaim.ts'
import { jobKey } from './job-row.ts'

const LEVELS = ['job', 'execution']

/** The listing of a job's history that a query asks for. Throws `TypeError` or `INVALID_ARGUMENT`. */
export function historyListing(snapshot: KvSnapshot, query: HistoryQuery): Listing<HistoryEntry> {
  const { jobId, jobVersion, level, executionIdPrefix, nodeIdPrefix, sinceMs, afterSequence } = query
  const key = jobKey(jobId)
  checkOptionalInteger('job version', jobVersion, 1)
  checkOptionalChoice('level of history', level, LEVELS)
  requireOptionalText('beginning of an execution id', executionIdPrefix)
  requireOptionalText('beginning of a node id', nodeIdPrefix)
  checkTime('time to list from', sinceMs)
  checkOptionalInteger('sequence number', afterSequence, 0, Number.MAX_SAFE_INTEGER - 1)
  const deleted = isDeleted(snapshot, key)
  return {
    table: 'history',
    prefixes: [key],
    ...(afterSequence === undefined ? {} : { gte: tuple(afterSequence + 1) }),
    query: ['history', jobId, jobVersion, level, executionIdPrefix, nodeIdPrefix, sinceMs, afterSequence],
    idOf: (entryKey) => `${jobId} entry ${String(decodeTuple(entryKey).at(-1))}`,
    load: (entryKey, value) => {
      if (deleted) return undefined
      const entry = toHistoryEntry({ jobId }, entryKey, historyTable.decode(entryKey, value))
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
