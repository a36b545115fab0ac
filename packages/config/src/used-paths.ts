import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Config } from './config.ts'
import { makeDirectory, syncDirectory } from './directory.ts'
import { isThere } from './file-kind.ts'
import type { NodeRole } from './settings/node.ts'
import { describePaths, type StoreFinding, waysOut } from './store-finding.ts'
import { describeRole, type StoreRole } from './store-role.ts'
import { readTextFile } from './text-file.ts'

/** The name of the file in the repository directory that says where the stores of its nodes have been. */
export const USED_PATHS_FILE_NAME = 'store-paths.json'

const MOST_PATHS = 20

type UsedPaths = { readonly [Role in NodeRole]: readonly string[] }

/** Reads where the stores of each role have been, the newest path first; what cannot be read counts as nothing. */
function readUsedPaths(repository: string): UsedPaths {
  const read = readTextFile(join(repository, USED_PATHS_FILE_NAME))
  let kept: unknown = null
  try {
    if (read !== undefined && 'text' in read) kept = JSON.parse(read.text)
  } catch {
    // Spoiled by hand: the next start writes it anew.
  }
  const pathsOf = (role: NodeRole): string[] => {
    if (typeof kept !== 'object' || kept === null || !Object.hasOwn(kept, role)) return []
    const paths = (kept as Record<NodeRole, unknown>)[role]
    return Array.isArray(paths) ? paths.filter((path) => typeof path === 'string') : []
  }
  return { requester: pathsOf('requester'), compute: pathsOf('compute') }
}

/**
 * Makes the repository directory remember where the stores of a node are, so that a later start at another path can say where
 * they have been. Writes only where there is something new. Throws what the system says where that fails.
 */
export function rememberStorePaths(config: Config, nodeId: string): void {
  const used = readUsedPaths(config.dataDir)
  const roles = config.roles
    .map((role) => describeRole(config, nodeId, role))
    .filter(({ memory, role, path }) => !memory && used[role][0] !== path)
  if (roles.length === 0) return
  const now = Object.fromEntries(
    roles.map(({ role, path }) => [
      role,
      [path, ...used[role].filter((earlier) => earlier !== path)].slice(0, MOST_PATHS),
    ]),
  )
  makeDirectory(config.dataDir)
  const path = join(config.dataDir, USED_PATHS_FILE_NAME)
  const file = openSync(`${path}.new`, 'w', 0o600)
  try {
    writeSync(file, `${JSON.stringify({ ...used, ...now }, null, 2)}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(`${path}.new`, path)
  syncDirectory(config.dataDir)
}

/** Finds stores where this repository's stores have been, where the configured path has none. */
export function earlierPaths(repository: string, role: StoreRole, fresh: boolean): StoreFinding[] {
  if (!role.memory && role.kind !== 'missing') return []
  const found = readUsedPaths(repository)[role.role].filter(
    // Those below the repository are found by their names, whatever is remembered.
    (path) => path !== role.path && dirname(dirname(path)) !== repository && isThere(path),
  )
  const [newest] = found
  if (newest === undefined) return []
  const severity = fresh || role.memory ? 'warn' : 'refuse'
  return [
    {
      kind: 'earlier-path',
      severity,
      paths: found,
      message: role.memory
        ? `the ${role.word} of an earlier start is not used, because the configured one is in memory: ${describePaths(found)}`
        : `no ${role.word} is at ${role.path}, but one of an earlier start is at ${describePaths(found)}`,
      hint: role.memory
        ? 'use the type lmdb to go on with it'
        : waysOut(severity, [
            `move it there (mv ${newest} ${role.path})`,
            `set the path back (${role.pathFlag})`,
          ]),
    },
  ]
}
