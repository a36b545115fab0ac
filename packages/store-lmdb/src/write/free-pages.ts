import type { Environment } from '../native/environment.ts'
import { pagesOf } from '../native/tree-size.ts'

const META_PAGES = 2

/** Pages inside the used part of the file that hold nothing. */
export function freePagesOf(environment: Environment, tables: Iterable<string>): number {
  let live = META_PAGES + environment.ownPages()
  for (const table of tables) live += pagesOf(environment.treeSize(table))
  return Math.max(0, environment.lastPage() + 1 - live)
}
