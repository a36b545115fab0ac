import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileKind, isThere } from './file-kind.ts'
import type { NodeRole } from './settings/node.ts'
import { describePaths, type FindStoresOptions, type StoreFinding, waysOut } from './store-finding.ts'
import { STORE_NAMES } from './store-location.ts'
import type { StoreRole } from './store-role.ts'

/** A store that lies at the default path of some node in a repository. */
export interface RepositoryStore {
  readonly nodeId: string
  readonly role: NodeRole
  readonly path: string
}

/** Lists the stores at the default paths of all nodes of a repository directory. Throws what `readdir` throws. */
export function listStores(repository: string): readonly RepositoryStore[] {
  return storesAmong(repository, readdirSync(repository).sort())
}

function storesAmong(repository: string, entries: readonly string[]): readonly RepositoryStore[] {
  return entries.flatMap((entry): RepositoryStore[] => {
    const names = Object.values(STORE_NAMES).find(({ suffix }) => entry.endsWith(suffix))
    const nodeId = names === undefined ? '' : entry.slice(0, -names.suffix.length)
    if (names === undefined || nodeId === '') return []
    const path = join(repository, entry, names.file)
    // A link that leads nowhere may be a volume that is not mounted.
    const found = isThere(path) || fileKind(join(repository, entry)) === 'special'
    return found ? [{ nodeId, role: names.role, path }] : []
  })
}

/** Finds the stores of other node ids where the node's own id has none yet. */
export function otherNodes(
  { config, nodeId, idIsNew = false, fresh = false }: FindStoresOptions,
  roles: readonly StoreRole[],
  entries: readonly string[],
): StoreFinding[] {
  const repository = config.dataDir
  const stores = storesAmong(repository, entries)
  const known =
    roles.some((role) => !role.memory && role.kind !== 'missing') ||
    stores.some((store) => store.nodeId === nodeId)
  if (known || stores.length === 0) return []
  const paths = stores.map(({ path }) => path)
  const ids = [...new Set(stores.map((store) => store.nodeId))]
  const severity = fresh || roles.every((role) => role.memory) ? 'warn' : 'refuse'
  const shown = describePaths(paths)
  return [
    {
      kind: 'other-node',
      severity,
      paths,
      message: idIsNew
        ? `no node id was given, and ${repository} has stores of ${ids.join(', ')}: ${shown}`
        : `node id ${nodeId} has no store in ${repository}, but other ids have: ${shown}`,
      hint: waysOut(severity, [`give the id that is meant with --node-id (${ids.join(', ')})`]),
    },
  ]
}
