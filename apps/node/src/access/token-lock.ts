import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { makeDirectory } from '@saltcod/config'
import { FileLock } from '@saltcod/store-lmdb'

/** Held by whoever may change the tokens of a repository: a node that asks for them, or a command for a moment. */
const TOKEN_LOCK_FILE_NAME = 'tokens.lock'

/**
 * Locks the tokens of a repository, which is made where it is missing. Returns `null` where another process has them.
 * The kernel gives the lock back when the process ends. Throws what the system says.
 */
export function takeTokenLock(repository: string): { release(): void } | null {
  makeDirectory(repository)
  const path = join(repository, TOKEN_LOCK_FILE_NAME)
  closeSync(openSync(path, 'a', 0o600))
  return FileLock.tryTake(path) ?? null
}
