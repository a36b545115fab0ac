import { isFailure } from '@saltcod/cli-kit'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { problemLine, readBySchema } from '../spec/problem.ts'
import { ApiError } from '../wire/api-error.ts'
import type { Gate } from './gate.ts'
import { ensureOperatorToken } from './operator-token.ts'
import { ROLES } from './role.ts'
import { hideTokens, tokenText } from './token.ts'
import { type ListedToken, listedToken, type NewTokenAnswer } from './token-answer.ts'

const PATH = '/api/v1/saltcod/tokens'

const body = z.object({
  Role: z.enum(ROLES),
  Note: z.string().max(200).default(''),
  /** In so many milliseconds; absent for never. */
  ExpiresInMs: z.number().int().positive().max(315_360_000_000).optional(),
})

/** What the routes of tokens work with. */
export interface TokenRoutesOptions {
  readonly gate: Gate
  readonly repository: string
  readonly clock: () => number
  /** What a joining node recognises the requester by; `null` where nothing is. */
  readonly fingerprint: () => string | null
}

/** Adds what an operator does with tokens: POST makes one, GET lists them, DELETE ends one. */
export function addTokenRoutes(
  api: FastifyInstance,
  { gate, repository, clock, fingerprint }: TokenRoutesOptions,
): void {
  api.get(PATH, async (): Promise<{ readonly Items: readonly ListedToken[] }> => {
    const nowMs = clock()
    return { Items: gate.tokens.list().map((token) => listedToken(token, nowMs)) }
  })

  api.post(PATH, async (request): Promise<NewTokenAnswer> => {
    const read = readBySchema(body, request.body ?? {})
    if (!('data' in read)) throw new ApiError('ValidationError', read.problems.map(problemLine).join('\n'))
    const { Role, Note, ExpiresInMs } = read.data
    const { kept, token } = written(() =>
      gate.tokens.create({
        role: Role,
        note: Note,
        expiresAtMs: ExpiresInMs === undefined ? null : clock() + ExpiresInMs,
      }),
    )
    const text = tokenText({ ...token, fingerprint: Role === 'node' ? fingerprint() : null })
    return { ...listedToken(kept, clock()), Token: text }
  })

  api.delete<{ Params: { id: string } }>(`${PATH}/:id`, async (request): Promise<ListedToken> => {
    const revoked = written(() => gate.tokens.revoke(request.params.id))
    if (revoked === null) {
      throw new ApiError('NotFound', `token not found: ${hideTokens(request.params.id).slice(0, 80)}`, {
        hint: 'list the tokens to see what is there',
      })
    }
    gate.cut(revoked.id, request.raw.socket)
    for (const warning of commandLineToken(repository, gate)) request.log.warn(warning)
    return listedToken(revoked, clock())
  })
}

/** What was revoked has ended, also where the command line of the node gets nothing in its place. */
function commandLineToken(repository: string, { tokens }: Gate): readonly string[] {
  try {
    return ensureOperatorToken(repository, tokens)
  } catch (error) {
    if (!isFailure(error)) throw error
    return [`${error.message}; the next start of the node, or the next revocation, tries again`]
  }
}

/** Throws an `ApiError` where the tokens cannot be written. */
function written<T>(change: () => T): T {
  try {
    return change()
  } catch (error) {
    if (!isFailure(error)) throw error
    throw new ApiError('ResourceExhausted', error.message, { cause: error })
  }
}
