import { readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Config } from './config.ts'
import { archiveIsThere, isThere } from './file-kind.ts'
import {
  REMEMBERED_STORES_FILE_NAME,
  type RememberedStore,
  type RememberedStores,
  readRememberedStores,
  unreadableMemory,
} from './remembered-stores.ts'
import { NODE_ROLES, type NodeRole } from './settings/node.ts'
import { describePaths, type StoreFinding, waysOut } from './store-finding.ts'
import { STORE_NAMES } from './store-location.ts'
import { describeRole, type StoreRole } from './store-role.ts'

/** Finds that the store of a role, which was there at an earlier start, is gone or lies elsewhere. */
export function missingStore(
  repository: string,
  role: StoreRole,
  remembered: RememberedStores | undefined,
  fresh: boolean,
): StoreFinding[] {
  if (!role.memory && role.kind !== 'missing') return []
  const stores = remembered?.[role.role] ?? []
  const here = role.memory ? undefined : stores.find(({ path }) => path === role.path)
  if (here !== undefined) {
    return [goneStore(`the ${role.word} at ${role.path} is gone: ${describeStore(here)}`, role.path, fresh)]
  }
  const found = stores.map(({ path }) => path).filter((path) => path !== role.path && isThere(path))
  const [newest] = stores
  if (found.length === 0 && newest !== undefined && !role.memory) {
    const message = `no ${role.word} is at ${role.path}, and that of an earlier start is gone from ${newest.path}: ${describeStore(newest)}`
    return [goneStore(message, newest.path, fresh)]
  }
  // Those below the repository are found by their names, whatever is remembered.
  const elsewhere = found.filter((path) => dirname(dirname(path)) !== repository)
  return elsewhere.length === 0 ? [] : [earlierPath(role, elsewhere, fresh)]
}

function earlierPath(role: StoreRole, found: readonly string[], fresh: boolean): StoreFinding {
  const severity = fresh || role.memory ? 'warn' : 'refuse'
  return {
    kind: 'earlier-path',
    severity,
    paths: found,
    message: role.memory
      ? `the ${role.word} of an earlier start is not used, because the configured one is in memory: ${describePaths(found)}`
      : `no ${role.word} is at ${role.path}, but one of an earlier start is at ${describePaths(found)}`,
    hint: role.memory
      ? 'use the type lmdb to go on with it'
      : waysOut(severity, [
          `move it there (mv ${found[0]} ${role.path})`,
          `set the path back (${role.pathFlag})`,
        ]),
  }
}

/**
 * Finds the stores that the node of a repository directory had at its newest start and that are gone, for who only
 * looks and knows no configuration of the node. A repository that remembers nothing lacks none. Never throws.
 */
export function goneStores(repository: string): readonly StoreFinding[] {
  const remembered = readRememberedStores(repository)
  return NODE_ROLES.flatMap((role) => {
    const [newest] = remembered?.[role] ?? []
    if (newest === undefined || isThere(newest.path)) return []
    const message = `the ${STORE_NAMES[role].word} at ${newest.path} is gone: ${describeStore(newest)}`
    return [goneStore(message, newest.path, true)]
  })
}

/** Finds that the archive, which was there at an earlier start, is gone. */
export function missingArchive(
  { archive: { directory } }: Config,
  remembered: RememberedStores | undefined,
  fresh: boolean,
): StoreFinding[] {
  const here = remembered?.archive.find(({ path }) => path === directory)
  if (here === undefined || archiveIsThere(here.path)) return []
  return [
    gone(
      `the archive in ${here.path} is gone: ${describeStore(here)}`,
      here.path,
      'restore a copy of it',
      fresh,
    ),
  ]
}

const OTHER: { readonly [Role in NodeRole]: NodeRole } = { requester: 'compute', compute: 'requester' }

/**
 * Finds, in a repository that remembers no stores, that there must have been one that is not there: the other store of
 * the node is there alone, or files lie in the store's own directory, or what was remembered cannot be read.
 */
export function loneStore(
  config: Config,
  nodeId: string,
  role: StoreRole,
  remembered: RememberedStores | undefined,
  fresh: boolean,
): StoreFinding[] {
  if (remembered !== undefined || role.memory || role.kind !== 'missing') return []
  const unreadable = unreadableMemory(config.dataDir)
  if (unreadable !== undefined) {
    const file = join(config.dataDir, REMEMBERED_STORES_FILE_NAME)
    const message = `no ${role.word} is at ${role.path}, and which stores this node has had cannot be read in ${file}: ${unreadable}`
    return [goneStore(message, role.path, fresh)]
  }
  const other = describeRole(config, nodeId, OTHER[role.role])
  if (other.memory || other.kind !== 'file') return leftovers(role, fresh)
  const message = `no ${role.word} is at ${role.path}, although the ${other.word} of this node is there: ${other.path}`
  return [goneStore(message, role.path, fresh)]
}

/** What remembers stores is written before the first of them is made, so that a start that was cut short leaves it. */
function leftovers({ word, path, usualPath }: StoreRole, fresh: boolean): StoreFinding[] {
  if (path !== usualPath) return []
  try {
    const beginning = basename(path)
    const first = readdirSync(dirname(path)).find((name) => name.startsWith(beginning))
    if (first === undefined) return []
    const message = `no ${word} is at ${path}, although ${join(dirname(path), first)} is there, which a node that had one left`
    return [goneStore(message, path, fresh)]
  } catch {
    return []
  }
}

function goneStore(message: string, path: string, fresh: boolean): StoreFinding {
  return { ...gone(message, path, 'restore a backup', fresh), restoreTo: path }
}

/** Where the file was removed under a node that had it open, that node left a copy with all that was in it. */
function copiesOfRemoved(path: string): string[] {
  const beginning = `${basename(path)}.removed-`
  try {
    return readdirSync(dirname(path)).filter((name) => name.startsWith(beginning))
  } catch {
    return []
  }
}

function gone(message: string, path: string, restore: string, fresh: boolean): StoreFinding {
  const severity = fresh ? 'warn' : 'refuse'
  const copies = copiesOfRemoved(path).map(
    (name) => `move ${name} there, which its node left when it was removed`,
  )
  const ways = [...copies, 'mount its volume', 'put it back', restore]
  return {
    kind: 'store-gone',
    severity,
    paths: [path],
    message,
    hint: waysOut(severity, ways, 'start once with --fresh where an empty one is meant'),
  }
}

function describeStore({ storeId, seenAt }: RememberedStore): string {
  const id = storeId === undefined ? '' : `store ${storeId}, `
  return `${id}last seen at the start of ${seenAt}`
}
