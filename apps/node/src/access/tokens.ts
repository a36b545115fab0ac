import { Failure } from '@saltcod/cli-kit'
import { EXIT } from '../exit-code.ts'
import { systemCode } from '../system-code.ts'
import type { Role } from './role.ts'
import { hasHash, hashOf } from './secret-hash.ts'
import { makeSecret, makeTokenId, type Token } from './token.ts'
import { type KeptToken, readTokenFile, writeTokenFile } from './token-file.ts'

/** So long ended tokens are still listed. */
const SHOWN_AFTER_END_MS = 30 * 86_400_000
/** Tokens are for people, programs and machines that somebody knows; far more are a mistake. */
const MOST_TOKENS = 10_000

/** What a new token is to be. */
export interface NewToken {
  readonly role: Role
  /** For people. */
  readonly note: string
  /** When it ends, in milliseconds since 1970; `null` for never. */
  readonly expiresAtMs: number | null
}

/** What tokens work with. */
export interface TokensOptions {
  readonly repository: string
  readonly clock: () => number
}

/** How a token ends. */
export type TokenEnd = 'expired' | 'revoked'

/** Returns how a token has ended; `null` where it has not. */
export function endOf({ revokedAtMs, expiresAtMs }: KeptToken, nowMs: number): TokenEnd | null {
  if (revokedAtMs !== null) return 'revoked'
  return expiresAtMs !== null && expiresAtMs <= nowMs ? 'expired' : null
}

function shownUntilMs({ revokedAtMs, expiresAtMs }: KeptToken): number {
  const endMs = revokedAtMs ?? expiresAtMs
  return endMs === null ? Number.POSITIVE_INFINITY : endMs + SHOWN_AFTER_END_MS
}

/** The tokens of a repository. Whoever has it open must be the only one who changes the file (`TokenLock`). */
export class Tokens {
  readonly #options: TokensOptions
  #kept: ReadonlyMap<string, KeptToken>

  /** Reads the file. Throws a `Failure` where it cannot be read. */
  constructor(options: TokensOptions) {
    this.#options = options
    this.#kept = new Map(readTokenFile(options.repository).map((token) => [token.id, token]))
  }

  /** Returns all tokens, the oldest first; those that ended long ago are not there any more. */
  list(): readonly KeptToken[] {
    const nowMs = this.#options.clock()
    const shown = [...this.#kept.values()].filter((token) => shownUntilMs(token) > nowMs)
    return shown.toSorted((a, b) => a.madeAtMs - b.madeAtMs)
  }

  /** Makes a token and keeps it; what is returned is shown once and never again. Throws a `Failure`. */
  create({ role, note, expiresAtMs }: NewToken): { readonly kept: KeptToken; readonly token: Token } {
    const nowMs = this.#options.clock()
    const living = this.list()
    if (living.length >= MOST_TOKENS) {
      throw new Failure(EXIT.failed, `there are ${living.length} tokens already`, {
        hint: 'revoke those that nobody uses: saltcod token list',
      })
    }
    let id = makeTokenId()
    while (this.#kept.has(id)) id = makeTokenId()
    const secret = makeSecret()
    const kept = { id, role, note, hash: hashOf(secret), madeAtMs: nowMs, expiresAtMs, revokedAtMs: null }
    this.#keep([...living, kept])
    return { kept, token: { id, secret, fingerprint: null } }
  }

  /** Ends a token; `null` where there is none of that id. One that has ended stays so. Throws a `Failure`. */
  revoke(id: string): KeptToken | null {
    const token = this.#kept.get(id)
    if (token === undefined) return null
    if (token.revokedAtMs !== null) return token
    const revoked = { ...token, revokedAtMs: this.#options.clock() }
    this.#keep(this.list().map((kept) => (kept.id === id ? revoked : kept)))
    return revoked
  }

  /** Takes a token back that nobody got. Throws a `Failure`. */
  withdraw(id: string): void {
    this.#keep(this.list().filter((kept) => kept.id !== id))
  }

  /** Returns the token that somebody shows, or what is wrong with it; that it has ended learns only who has it. */
  verify({ id, secret }: Pick<Token, 'id' | 'secret'>): KeptToken | 'unknown' | TokenEnd {
    const token = this.#kept.get(id)
    const isRight = hasHash(secret, token?.hash ?? null)
    if (token === undefined || !isRight) return 'unknown'
    return endOf(token, this.#options.clock()) ?? token
  }

  /** What is kept counts: memory follows the disk. */
  #keep(tokens: readonly KeptToken[]): void {
    const { repository } = this.#options
    try {
      writeTokenFile(repository, tokens)
    } catch (error) {
      const code = systemCode(error) ?? String(error)
      throw new Failure(
        EXIT.failed,
        `the tokens in ${repository} cannot be written: ${code}; nothing has changed`,
        {
          hint: 'free space where the repository is, or see to its rights',
          cause: error,
        },
      )
    }
    this.#kept = new Map(tokens.map((token) => [token.id, token]))
  }
}
