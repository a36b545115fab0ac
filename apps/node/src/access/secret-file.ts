import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { Failure } from '@saltcod/cli-kit'
import { EXIT } from '../exit-code.ts'
import { unreadable } from '../unusable-place.ts'
import { hideTokens } from './token.ts'

/** Reads a file that somebody named as one with a secret, of which no more than a few bytes are wanted. */
export interface SecretFile {
  readonly path: string
  /** What it holds, for people. */
  readonly what: string
  /** What helps where it cannot be read. */
  readonly hint: string
  readonly encoding: 'utf8' | 'latin1'
}

/**
 * Reads what a file with a secret holds, without the space around it. Throws a `Failure` where it cannot be read, and
 * where a secret stands in place of its path, which is not repeated.
 */
export function readSecretFile({ path, what, hint, encoding }: SecretFile): string {
  if (hideTokens(basename(path)) !== basename(path)) {
    throw new Failure(EXIT.usage, `${what} was given itself in place of a file that holds it`, {
      hint: 'write it into a file that you alone may read, and name that; others may have seen it among the arguments, and a shell keeps them: end it with saltcod token revoke ID, and make another one',
    })
  }
  try {
    return readFileSync(path, encoding).trim()
  } catch (error) {
    throw new Failure(EXIT.usage, `${what} in ${path} cannot be read: ${unreadable(error)}`, {
      hint,
      cause: error,
    })
  }
}
