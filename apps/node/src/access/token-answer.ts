import type { Role } from './role.ts'
import type { KeptToken } from './token-file.ts'
import { endOf } from './tokens.ts'

/** A token as it is listed: nothing of its secret. */
export interface ListedToken {
  readonly ID: string
  readonly Role: Role
  readonly Note: string
  readonly State: 'VALID' | 'EXPIRED' | 'REVOKED'
  readonly Made: string
  readonly Expires: string | null
  readonly Revoked: string | null
}

/** A token that was just made: the one time that it is told. */
export interface NewTokenAnswer extends ListedToken {
  readonly Token: string
}

/** Writes a token for a listing. */
export function listedToken(token: KeptToken, nowMs: number): ListedToken {
  const { id, role, note, madeAtMs, expiresAtMs, revokedAtMs } = token
  const states = { expired: 'EXPIRED', revoked: 'REVOKED' } as const
  const end = endOf(token, nowMs)
  const time = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())
  return {
    ID: id,
    Role: role,
    Note: note,
    State: end === null ? 'VALID' : states[end],
    Made: new Date(madeAtMs).toISOString(),
    Expires: time(expiresAtMs),
    Revoked: time(revokedAtMs),
  }
}
