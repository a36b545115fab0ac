import { join } from 'node:path'
import { isThere } from './file-kind.ts'
import { describePaths, type StoreFinding, waysOut } from './store-finding.ts'
import type { StoreRole } from './store-role.ts'

/** Finds this node's own store at its default path where another path, or memory, is configured. */
export function otherPath(role: StoreRole, fresh: boolean): StoreFinding[] {
  const usual = role.usualPath
  const severity = fresh || role.memory ? 'warn' : 'refuse'
  const unused = role.memory || (role.kind === 'missing' && role.path !== usual)
  if (!unused || !isThere(usual)) return []
  return [
    {
      kind: 'other-path',
      severity,
      paths: [usual],
      message: role.memory
        ? `the ${role.word} at ${usual} is not used, because the configured one is in memory`
        : `no ${role.word} is at ${role.path}, but one is at the default path: ${usual}`,
      hint: role.memory
        ? 'use the type lmdb to go on with it'
        : waysOut(severity, ['move it there', `leave ${role.pathFlag} out`]),
    },
  ]
}

/** Finds data at the paths that Bacalhau's documents and releases name, where the role has no store yet. */
export function olderDefaults(
  repository: string,
  role: StoreRole,
  entries: readonly string[],
  fresh: boolean,
): StoreFinding[] {
  if (!role.memory && role.kind !== 'missing') return []
  const beside = entries.filter((entry) => entry.endsWith(`${role.suffix}.db`))
  const found = [...beside, ...role.olderPaths]
    .map((path) => join(repository, path))
    .filter((path) => path !== role.path && isThere(path))
  if (found.length === 0) return []
  const severity = fresh || role.memory ? 'warn' : 'refuse'
  return [
    {
      kind: 'older-default',
      severity,
      paths: found,
      message: `there is no ${role.word} yet, but older data of Bacalhau is there: ${describePaths(found)}`,
      hint: `it was left alone: ${waysOut(severity, ['move it elsewhere', 'name another repository with --repo'])}`,
    },
  ]
}
