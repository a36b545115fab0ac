/** The key of a job's meta under which an answer says why the job is held; nothing is stored there. */
export const HOLD_META = 'saltcod/hold'

/** Keys that only a requester of Bacalhau sets. */
const RESERVED_PREFIX = 'bacalhau.org/'

/** Tells whether a key of a job's meta is none that a client may set. */
export function isReservedMeta(key: string): boolean {
  const name = key.toLowerCase()
  return name === HOLD_META || name.startsWith(RESERVED_PREFIX)
}
