import { existsSync } from 'node:fs'

import { removeFile } from './file-removal.ts'
import { type StorePath, storePathOf } from './store-path.ts'

/** The further names that the files of a store have while it is rewritten. */
export interface RewritePath {
  /** The new file, with its own lock file, until it takes the place of the old one. */
  readonly fresh: StorePath
  /** The old file, until the new one has proven itself. */
  readonly previous: string
  /**
   * There while files are exchanged. As long as it is there nothing has been acknowledged that only one of the two
   * files has, and a data file and a lock file that are found together need not belong together.
   */
  readonly marker: string
}

/** Returns the names for the store at a path. */
export function rewritePathOf(paths: StorePath): RewritePath {
  const { data } = paths
  return {
    fresh: storePathOf(paths.directory, `${paths.name}.rewrite`),
    previous: `${data}.prev`,
    marker: `${data}.rewrite-swap`,
  }
}

/** Tells whether files are being exchanged, or were when their owner died. */
export function isSwapping(paths: StorePath): boolean {
  return existsSync(rewritePathOf(paths).marker)
}

/** Removes the new file, which nobody relies on. Returns whether there was one. */
export function removeFresh(paths: StorePath): boolean {
  const { fresh } = rewritePathOf(paths)
  const found = existsSync(fresh.data)
  removeFile(fresh.data)
  removeFile(fresh.lock)
  return found
}
