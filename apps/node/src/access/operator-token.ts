import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '@saltcod/cli-kit'
import { writeKeptFile } from '@saltcod/config'
import { EXIT } from '../exit-code.ts'
import { unreadable } from '../unusable-place.ts'
import { readToken, tokenText } from './token.ts'
import type { Tokens } from './tokens.ts'

/** Where in the repository directory the command line of the same user finds its token. */
const OPERATOR_TOKEN_FILE_NAME = 'operator-token'
const MOST_BYTES = 1_000

/** Returns where a repository keeps the token of the local command line. */
export function operatorTokenPath(repository: string): string {
  return join(repository, OPERATOR_TOKEN_FILE_NAME)
}

/** Returns the token that the repository keeps for the local command line; `null` where there is none to be read. */
export function readOperatorToken(repository: string): string | null {
  const path = operatorTokenPath(repository)
  try {
    if (statSync(path).size > MOST_BYTES) return null
    const text = readFileSync(path, 'utf8').trim()
    return readToken(text) === null ? null : text
  } catch {
    return null
  }
}

/**
 * Makes sure that the local command line has a token that is right. One that others could read is no secret any more:
 * it ends, and another takes its place. Returns what the operator should know of that. Throws a `Failure` where there
 * can be none.
 */
export function ensureOperatorToken(repository: string, tokens: Tokens): readonly string[] {
  const path = operatorTokenPath(repository)
  const found = readToken(readOperatorToken(repository) ?? '')
  const shown = found === null ? 'unknown' : tokens.verify(found)
  const verified = typeof shown === 'string' ? null : shown
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0
  const isOpen = (mode & 0o077) !== 0
  if (verified?.role === 'operator' && !isOpen) return []
  if (verified !== null) tokens.revoke(verified.id)
  const { kept, token } = tokens.create({
    role: 'operator',
    note: 'the command line of this node',
    expiresAtMs: null,
  })
  try {
    writeKeptFile(path, `${tokenText(token)}\n`)
  } catch (error) {
    // Each further try makes another one.
    tokens.withdraw(kept.id)
    const reason = unreadable(error)
    throw new Failure(
      EXIT.failed,
      `the token of the local command line cannot be kept in ${path}: ${reason}`,
      {
        hint: 'free space where the repository is, see to its rights, or move away what is in the place of the file',
        cause: error,
      },
    )
  }
  return isOpen ? [`${path} could be read by others: what they may have copied of it has ended`] : []
}
