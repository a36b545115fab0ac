import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '@saltcod/cli-kit'
import { writeKeptFile } from '@saltcod/config'
import { z } from 'zod'
import { EXIT } from '../exit-code.ts'
import { systemCode } from '../system-code.ts'
import { unreadable } from '../unusable-place.ts'
import { ROLES } from './role.ts'

/** Where in the repository directory the tokens are kept, as hashes. */
const TOKEN_FILE_NAME = 'tokens.json'
const VERSION = 1

const kept = z.object({
  id: z.string().regex(/^[a-z0-9]{1,32}$/),
  role: z.enum(ROLES),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  /** For people. */
  note: z.string(),
  madeAtMs: z.number().int(),
  expiresAtMs: z.number().int().nullable(),
  revokedAtMs: z.number().int().nullable(),
})
const file = z.object({ version: z.literal(VERSION), tokens: z.array(kept) })

/** A token as it is kept: what its secret is cannot be told from it. */
export type KeptToken = Readonly<z.infer<typeof kept>>

/**
 * Reads the tokens of a repository; none where there is no file yet. Throws a `Failure` where the file cannot be read:
 * taken for an empty one, it would end all tokens without a word.
 */
export function readTokenFile(repository: string): readonly KeptToken[] {
  const path = join(repository, TOKEN_FILE_NAME)
  try {
    return file.parse(JSON.parse(readFileSync(path, 'utf8'))).tokens
  } catch (error) {
    const code = systemCode(error) ?? ''
    if (code === 'ENOENT') return []
    const reason = code === '' ? 'it is damaged, or was written by a later release' : unreadable(error)
    throw new Failure(EXIT.usage, `the tokens in ${path} cannot be read: ${reason}`, {
      hint: 'put a copy of it back; to end all tokens and begin anew, remove it',
      cause: error,
    })
  }
}

/** Keeps the tokens of a repository: durable, and all of them or as before. Throws what the system says. */
export function writeTokenFile(repository: string, tokens: readonly KeptToken[]): void {
  writeKeptFile(
    join(repository, TOKEN_FILE_NAME),
    `${JSON.stringify({ version: VERSION, tokens }, null, 2)}\n`,
  )
}
