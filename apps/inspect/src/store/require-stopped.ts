import { Failure, shellWord } from '@saltcod/cli-kit'
import { isBoltFile } from '@saltcod/store-bolt'
import { findLmdbOwner } from '@saltcod/store-lmdb'
import { EXIT } from '../exit-code.ts'

/** Refuses a store whose node runs, and a BoltDB file, which is no damaged store. Throws a `Failure`. */
export async function requireStopped(path: string, instead: string): Promise<void> {
  if (await isBoltFile(path)) {
    throw new Failure(EXIT.usage, `${path} is a BoltDB file, and no store of ours; nothing was written`, {
      hint: `saltcod-inspect check ${shellWord(path)} looks for damage in it; import --to makes our stores of Bacalhau's`,
    })
  }
  const owner = await findLmdbOwner(path)
  if (!owner.running) return
  const who = owner.processId === null ? 'a process that does not answer' : `process ${owner.processId}`
  throw new Failure(EXIT.usage, `the store ${path} is in use by ${who}; nothing was written`, {
    hint: instead,
  })
}
