import type { EndReason, Execution } from '@saltcod/store-core'
import type { Report } from '../link/link.ts'

/*
 * The one place that reads why an execution ended out of words. Releases of before noted no reason: it is made up for what they wrote into
 * records, and for reports that they left in the outbox of a node, as they did it themselves. Nothing of this release is read here.
 */

/** The words that stood in the details of such reports. */
const WORDS: ReadonlyMap<string, EndReason> = new Map<string, EndReason>([
  ['interrupted', 'interrupted'],
  ['start-failed', 'start-failed'],
  ['exited', 'failed'],
  ['exit-code', 'exit-code'],
  ['killed', 'killed'],
  ['timeout', 'timed-out'],
  ['deadline', 'timed-out'],
  ['memory', 'out-of-memory'],
  ['results-refused', 'results-refused'],
  ['results-lost', 'results-lost'],
  ['node-error', 'node-error'],
  ['too-old', 'too-old'],
])

/** Returns why an execution ended by its record; `null` where that does not say so. */
export function reasonOfEarlierRecord({
  state,
  stateMessage,
}: Pick<Execution, 'state' | 'stateMessage'>): EndReason | null {
  return state === 'Failed' && stateMessage.startsWith('interrupted') ? 'interrupted' : null
}

/** Returns why an execution failed or was cancelled by a report of its end. */
export function reasonOfEarlierReport({ state, event }: Report): EndReason {
  const { rejected, reason = '' } = event?.details ?? {}
  if (rejected === 'true') return 'refused'
  return WORDS.get(reason) ?? (state === 'Cancelled' ? 'stopped' : 'failed')
}
