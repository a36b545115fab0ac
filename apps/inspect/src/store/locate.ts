import { existsSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Failure, shellWord } from '@saltcod/cli-kit'
import { isBoltFile } from '@saltcod/store-bolt'
import { bacalhauPaths } from '../bacalhau/bacalhau-files.ts'
import { EXIT } from '../exit-code.ts'
import { requireRegularFile } from './regular-file.ts'

/** A directory of one node may be given as well as the repository around it. */
const STORE_FILES = ['jobs.db', 'executions.db']

const NO_STORE = {
  exitCode: EXIT.unreadable,
  hint: 'give a store file, or the repository directory of a node',
} as const

/**
 * Finds the files that an argument means: one store file, or all stores of a repository directory. Links are
 * followed, because LMDB's lock file goes by path. Throws a `Failure` where there is none.
 */
export async function locateStores(argument: string): Promise<readonly string[]> {
  const path = realPath(argument)
  if (!statSync(path).isDirectory()) return [await storeFile(path)]
  const { fileKind } = await import('@saltcod/config')
  const paths = (await storesIn(path)).filter((file) => fileKind(file) !== 'bolt')
  if (paths.length > 0) return await Promise.all(paths.map((file) => storeFile(realPath(file))))
  const foreign = bacalhauPaths(path)
  if (foreign.length > 0) {
    throw new Failure(EXIT.usage, `${argument} holds files of Bacalhau, and no store of ours`, {
      hint: `import --to makes our stores of them; summary, check, info, stats, export, diff and what lists records read them as they are; the files: ${foreign.map(shellWord).join(' ')}`,
    })
  }
  if (isArchive(path)) {
    throw new Failure(EXIT.usage, `${argument} is an archive`, {
      hint: 'jobs, job, executions, history, why and unarchive read it',
    })
  }
  throw new Failure(EXIT.unreadable, `there is no store in the directory ${argument}`, {
    hint: 'give a store file, or the repository directory of a node (its default is ~/.bacalhau)',
  })
}

/** Lists the stores of ours in a repository directory; none where the argument is something else. */
export async function ownPaths(argument: string): Promise<readonly string[]> {
  if (!isDirectory(argument)) return []
  const { fileKind } = await import('@saltcod/config')
  return (await storesIn(argument)).filter((file) => !['bolt', 'unreadable'].includes(fileKind(file)))
}

async function storesIn(directory: string): Promise<string[]> {
  const { listStores } = await import('@saltcod/config')
  const direct = STORE_FILES.map((name) => join(directory, name)).filter((file) => existsSync(file))
  try {
    // Jobs come before the executions that they cause.
    const stores = [...listStores(directory)].sort((a, b) => b.role.localeCompare(a.role))
    return [...direct, ...stores.map((store) => store.path)]
  } catch (error) {
    throw lookError(directory, error)
  }
}

/** Tells whether a path is the directory of an archive. */
export function isArchive(path: string): boolean {
  return existsSync(join(path, 'manifest.ndjson'))
}

/** Finds the one file that an argument means. Throws a `Failure` where there is none, or more than one. */
export async function locateStore(argument: string): Promise<string> {
  const [path, ...others] = await locateStores(argument)
  if (path !== undefined && others.length === 0) return path
  throw new Failure(EXIT.usage, `${argument} has several stores: ${[path, ...others].join(', ')}`, {
    hint: `name one of them in place of ${argument}`,
  })
}

async function storeFile(path: string): Promise<string> {
  requireRegularFile(path, NO_STORE)
  // Whoever looked at its pages would find it damaged.
  if (await isBoltFile(path)) {
    throw new Failure(EXIT.usage, `${path} is a BoltDB file, and no store of ours`, {
      hint: 'check, info, stats, buckets, keys, get and dump read it as it is; one of Bacalhau is shown by what lists records, and import --to makes our stores of it',
    })
  }
  return path
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') {
      throw new Failure(EXIT.unreadable, `there is nothing at ${path}`, { hint: NO_STORE.hint })
    }
    throw lookError(path, error)
  }
}

/** What is wrong with a path that cannot be looked at, such as a link to itself, is said by whoever opens it. */
export function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

function lookError(path: string, error: unknown): Failure {
  const code = (error as NodeJS.ErrnoException).code
  return new Failure(EXIT.unreadable, `${path} cannot be looked at: ${code ?? String(error)}`, {
    hint:
      code === 'ELOOP'
        ? 'its links lead in a circle; give the path of the file itself'
        : 'run as the user of the node, or as root',
    cause: error,
  })
}
