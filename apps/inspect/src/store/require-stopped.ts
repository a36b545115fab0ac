import { Failure } from '@saltcod/cli-kit'
import { findLmdbOwner } from '@saltcod/store-lmdb'
import { EXIT } from '../exit-code.ts'

/** Refuses a store whose node runs. Throws a `Failure`. */
export async function requireStopped(path: string, instead: string): Promise<void> {
  const owner = await findLmdbOwner(path)
  if (!owner.running) return
  const who = owner.processId === null ? 'a process that does not answer' : `process ${owner.processId}`
  throw new Failure(EXIT.usage, `the store ${path} is in use by ${who}; nothing was written`, {
    hint: instead,
  })
}
