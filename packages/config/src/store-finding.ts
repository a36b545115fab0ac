import type { Config } from './config.ts'
import { fileKind } from './file-kind.ts'
import { oneLine } from './problem.ts'

/** What `findStores` looks for. */
export interface FindStoresOptions {
  readonly config: Config
  readonly nodeId: string
  /** The id was made for this start: nobody gave it, and no file keeps it. Default: false. */
  readonly idIsNew?: boolean
  /** Start empty even beside older data: what would be refused for that reason is a warning. */
  readonly fresh?: boolean
}

/** What kind of thing was found before the stores are opened. */
export type StoreFindingKind =
  | 'memory-forgets'
  | 'boltdb-means-lmdb'
  | 'repository-unusable'
  | 'same-path'
  | 'bolt-at-path'
  | 'other-path'
  | 'earlier-path'
  | 'store-gone'
  | 'other-store'
  | 'memory-spoilt'
  | 'nothing-fresh'
  | 'fresh-begins'
  | 'older-default'
  | 'other-node'

/** Something about the stores that an operator must know before the node starts. */
export interface StoreFinding {
  readonly kind: StoreFindingKind
  /** `refuse`: the node must not start; `warn`: it says so and goes on. */
  readonly severity: 'refuse' | 'warn'
  /** What was found, one path or several. */
  readonly paths: readonly string[]
  /** What was found, as a clause without a full stop. */
  readonly message: string
  /** What can be done, without a full stop. */
  readonly hint: string
  /** Where a backup may be restored to; a program names its command for it. */
  readonly restoreTo?: string
}

const FRESH = 'start with --fresh to begin an empty store beside it'

/** Joins what can be done; where the node does not start, it can also be told to begin empty. */
export function waysOut(
  severity: StoreFinding['severity'],
  ways: readonly string[],
  fresh: string = FRESH,
): string {
  const all = severity === 'refuse' ? [...ways, fresh] : ways
  return [all.slice(0, -1).join(', '), all.at(-1)].filter((part) => part !== '').join(', or ')
}

/** Writes a finding as one line: `what was found; what to do`. Control characters are escaped. */
export function formatFinding({ message, hint }: StoreFinding): string {
  return oneLine(`${message}; ${hint}`)
}

/** Lists paths for a message, at most ten of them, and says which are BoltDB files. */
export function describePaths(paths: readonly string[]): string {
  const shown = paths.slice(0, 10).map((path) => (fileKind(path) === 'bolt' ? `${path} (BoltDB)` : path))
  return paths.length > shown.length
    ? `${shown.join(', ')} and ${paths.length - shown.length} more`
    : shown.join(', ')
}
