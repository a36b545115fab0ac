import type { ExecutionState, HistoryEntry } from '@saltcod/store-core'
import type { ClientVersion } from './client-version.ts'
import type { WireHistory } from './models.ts'
import { executionStateNumber } from './state-number.ts'
import { toRfc3339 } from './time.ts'

/** Writes an entry of the history as a client of some version reads it. */
export function historyToWire(entry: HistoryEntry, client: ClientVersion): WireHistory {
  const at = toRfc3339(entry.atMs)
  const { message, topic, details } = entry.event
  return {
    SeqNum: entry.sequence,
    Type: entry.level === 'job' ? 'JobLevel' : 'ExecutionLevel',
    JobID: entry.jobId,
    JobVersion: entry.jobVersion,
    ...(entry.nodeId === null ? {} : { NodeID: entry.nodeId }),
    ...(entry.executionId === null ? {} : { ExecutionID: entry.executionId }),
    ...statesToWire(entry, client),
    NewRevision: entry.revision,
    Comment: message,
    Event: {
      Message: message,
      Topic: topic,
      Timestamp: at,
      ...(Object.keys(details).length === 0 ? {} : { Details: details }),
    },
    Time: at,
  }
}

function statesToWire(
  { level, previousState, newState }: HistoryEntry,
  client: ClientVersion,
): Pick<WireHistory, 'JobState' | 'ExecutionState'> {
  if (level === 'job') {
    return { JobState: { ...(previousState === null ? {} : { Previous: previousState }), New: newState } }
  }
  const number = (state: string): number => executionStateNumber(state as ExecutionState, client)
  return {
    ExecutionState: {
      ...(previousState === null ? {} : { Previous: number(previousState) }),
      New: number(newState),
    },
  }
}
