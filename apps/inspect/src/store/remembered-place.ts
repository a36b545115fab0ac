import { realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { Failure } from '@saltcod/cli-kit'
import { type OpenedStore, rememberReplacement } from '@saltcod/config'
import { isStoreError } from '@saltcod/store-core'
import { readStoreMark } from '@saltcod/store-lmdb'
import { EXIT } from '../exit-code.ts'

/**
 * Puts a file in the place of a store. Where a node remembers which store was there, it takes the new one for its own
 * from then on: before, so that a crash in between has nothing refused that is right, it remembers a place alone, and
 * behind it what was put there. Throws a `Failure` where that cannot be written.
 */
export function putInPlace(path: string, put: () => void): void {
  const repositories = repositoriesOf(path).filter((repository) => note(repository, path, {}))
  put()
  for (const repository of repositories) note(repository, path, identityOf(path))
}

/** Has the node whose store this is take whatever comes to its place next. */
export function expectAnother(path: string): void {
  for (const repository of repositoriesOf(path)) note(repository, path, {})
}

/** A store with the usual name lies two below its repository; of others the usual place of a repository may know. */
function repositoriesOf(path: string): readonly string[] {
  const candidates = [dirname(dirname(path)), process.env['BACALHAU_DIR'] ?? join(homedir(), '.bacalhau')]
  return [...new Set(candidates.flatMap((candidate) => real(candidate) ?? []))]
}

function real(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}

function note(repository: string, path: string, store: OpenedStore): boolean {
  const directory = real(dirname(path))
  if (directory === null) return false
  try {
    return rememberReplacement(repository, join(directory, basename(path)), store)
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error)
    throw new Failure(
      EXIT.usage,
      `${repository} remembers another store at ${path} and takes no change: ${what}`,
      {
        hint: 'let this user write to it, or give another path',
      },
    )
  }
}

function identityOf(path: string): OpenedStore {
  try {
    const { storeId, sequence, incarnations } = readStoreMark(path)
    const incarnation = incarnations?.at(-1)
    if (storeId === undefined) return {}
    return {
      storeId,
      ...(sequence === undefined ? {} : { sequence }),
      ...(incarnation === undefined ? {} : { incarnation }),
    }
  } catch (error) {
    if (!isStoreError(error)) throw error
    return {}
  }
}
