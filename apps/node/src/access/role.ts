/**
 * What a token lets its bearer do: an `operator` everything, a `reader` whatever changes nothing, a `node` the link
 * alone, and only for itself.
 */
export const ROLES = ['operator', 'reader', 'node'] as const

/** One of {@link ROLES}. */
export type Role = (typeof ROLES)[number]

/** What a route asks of its caller: a role, or nothing. */
export type Needed = 'anyone' | 'reader' | 'operator'

/** Tells whether a role is enough for what is needed. */
export function suffices(role: Role, needed: Needed): boolean {
  if (needed === 'anyone' || role === 'operator') return true
  return needed === 'reader' && role === 'reader'
}
