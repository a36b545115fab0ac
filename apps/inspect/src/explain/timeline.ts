import { oneLine, shortId } from '@saltcod/cli-kit'
import type { Evaluation, HistoryEntry } from '@saltcod/store-core'

/** One thing that happened. */
export interface Moment {
  readonly atMs: number
  /** Breaks ties between moments of one millisecond. */
  readonly order: number
  readonly who: string
  readonly what: string
}

/** Details of events that repeat who did what. */
const SAID_ALREADY: ReadonlySet<string> = new Set(['NodeID', 'NewState', 'IsError', 'ExecutionID', 'JobID'])

/** Puts history and evaluations into one order of time. */
export function timelineOf(history: readonly HistoryEntry[], evaluations: readonly Evaluation[]): Moment[] {
  const moments = [
    ...history.map((entry) => momentOfEntry(entry)),
    ...evaluations.flatMap(momentsOfEvaluation),
  ]
  return moments.sort((a, b) => a.atMs - b.atMs || a.order - b.order)
}

/** The same entry as a moment, said by the node that the store belongs to where `node` names one. */
export function momentOfEntry(entry: HistoryEntry, node?: string): Moment {
  const { executionId, nodeId, previousState, newState, event, atMs, sequence, jobVersion } = entry
  const who =
    node !== undefined
      ? `node ${shortId(node)}`
      : executionId === null
        ? 'job'
        : `execution ${shortId(executionId)}${nodeId === null ? '' : ` on ${shortId(nodeId)}`}`
  const version = jobVersion > 1 && executionId === null ? `, version ${jobVersion}` : ''
  const move =
    previousState === null
      ? // What came before the first entry of another program's history is not known.
        `${entry.afterGap === true ? 'is' : 'created as'} ${newState}${version}`
      : previousState === newState
        ? `stays ${newState}`
        : `${previousState} -> ${newState}`
  const details = Object.entries(event.details)
    .filter(([key]) => !SAID_ALREADY.has(key))
    .map(([key, value]) => `${key}=${oneLine(value)}`)
  const message = event.message === newState ? '' : oneLine(event.message)
  const said = [message, details.join(', ')].filter((text) => text !== '').join(' ')
  // What leaves the state alone, such as a hold, is told by what it says.
  if (previousState === newState && said !== '') return { atMs, order: sequence, who, what: said }
  return { atMs, order: sequence, who, what: said === '' ? move : `${move}: ${said}` }
}

function momentsOfEvaluation({
  id,
  trigger,
  status,
  comment,
  createdAtMs,
  modifiedAtMs,
  sequence,
  attempt,
}: Evaluation): Moment[] {
  const who = `evaluation ${shortId(id)}`
  const made = { atMs: createdAtMs, order: sequence, who, what: `to look at the job: ${trigger}` }
  if (status === 'pending') return [made]
  const said = comment === '' ? '' : `: ${oneLine(comment)}`
  const tries = attempt > 1 ? ` after ${attempt} attempts` : ''
  return [made, { atMs: modifiedAtMs, order: sequence + 0.5, who, what: `${status}${tries}${said}` }]
}
