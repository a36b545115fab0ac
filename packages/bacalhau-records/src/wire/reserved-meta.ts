/** The key of a job's meta under which an answer says why the job is held; nothing is stored there. */
export const HOLD_META = 'saltcod/hold'

/** Keys that only a requester of Bacalhau sets. */
const RESERVED_PREFIX = 'bacalhau.org/'

/** Where an answer names the requester that has the job; nothing is stored there. */
export const ORCHESTRATOR_META = `${RESERVED_PREFIX}orchestrator.id`

/** The same, as clients before v1.5 look for it. */
export const REQUESTER_META = `${RESERVED_PREFIX}requester.id`

/** Tells whether a key of a job's meta is none that a client may set. */
export function isReservedMeta(key: string): boolean {
  const name = key.toLowerCase()
  return name === HOLD_META || name.startsWith(RESERVED_PREFIX)
}
