import { type EndReason, isEndReason } from '@saltcod/store-core'

const TEXTS: Readonly<Record<EndReason, string>> = {
  interrupted: 'its node ended, or what looked after it was lost; no fault of the job',
  'node-lost': 'its node was not heard of for too long; no fault of the job',
  'record-lost': 'its node knows nothing of it any more; no fault of the job',
  refused: 'the node did not take it',
  denied: 'its node does not allow something that it asks for',
  'unusable-input': 'what it is to bring in is not there, or cannot be an input',
  'start-failed': 'it could not begin',
  failed: 'its program broke',
  'exit-code': 'the job calls the exit code of its program a failure',
  killed: 'a signal ended its program, or it passed a limit',
  'timed-out': 'its time was up',
  'out-of-memory': 'it used more memory than it may',
  'results-refused': 'what it left cannot be a result',
  'results-lost': 'what it left was gone when it was to be published',
  'node-error': 'the node could not go on with it',
  'too-old': 'a restart found it older than a rule allows',
  stopped: 'its job ended, or somebody stopped it',
  replaced: 'a newer version of its job took its place',
  surplus: 'another execution does the same',
  drained: 'its node was drained',
}

/** Writes why an execution ended and what that means, in brackets; empty where nobody noted it. */
export function endReasonText(endReason: EndReason | null): string {
  if (endReason === null) return ''
  // A newer release may know more of them.
  return isEndReason(endReason) ? ` (${endReason}: ${TEXTS[endReason]})` : ` (${String(endReason)})`
}
