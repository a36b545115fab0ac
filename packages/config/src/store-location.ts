import { join } from 'node:path'
import type { Config } from './config.ts'
import type { NodeRole } from './settings/node.ts'
import { NODE_ID_PATTERN } from './settings/node.ts'
import { stores } from './settings/stores.ts'

/** Where a store is to be opened, and how. */
export type StoreLocation = { readonly type: 'lmdb'; readonly path: string } | { readonly type: 'memory' }

/** Every place that depends on the node id. */
export interface ResolvedPaths {
  readonly repository: string
  readonly executionStore: StoreLocation
  readonly jobStore: StoreLocation
  /** The directory that results are kept in. */
  readonly results: string
}

/** What the parts of a store's place are called, by role. */
export interface StoreNames {
  readonly role: NodeRole
  /** What a message calls it. */
  readonly word: string
  /** What follows the node id in the name of the store's directory. */
  readonly suffix: string
  readonly file: string
  /** The flag that gives the store another path. */
  readonly pathFlag: string
  /** Where Bacalhau v1.4 and later releases kept the same, below the repository directory. */
  readonly olderPaths: readonly string[]
}

/** The names of both stores. */
export const STORE_NAMES: { readonly [Role in NodeRole]: StoreNames } = {
  compute: {
    role: 'compute',
    word: 'execution store',
    suffix: '-compute',
    file: 'executions.db',
    pathFlag: stores.executionStore.path.flag ?? '',
    olderPaths: ['compute_store/executions.db', 'compute/state_boltdb.db'],
  },
  requester: {
    role: 'requester',
    word: 'job store',
    suffix: '-requester',
    file: 'jobs.db',
    pathFlag: stores.jobStore.path.flag ?? '',
    olderPaths: ['orchestrator_store/jobs.db', 'orchestrator/state_boltdb.db'],
  },
}

/** The configured store of a role. */
export function storeConfigOf(config: Config, role: NodeRole): Config['jobStore'] {
  return role === 'compute' ? config.executionStore : config.jobStore
}

/** The path that the store of a role has when none is configured. */
export function defaultStorePath(repository: string, nodeId: string, role: NodeRole): string {
  const { suffix, file } = STORE_NAMES[role]
  return join(repository, `${nodeId}${suffix}`, file)
}

/**
 * Settles every path that depends on the node id. A store of type `boltdb` is an LMDB store here;
 * whether a BoltDB file is in its way is for {@link findStores} to say.
 */
export function resolvePaths(config: Config, nodeId: string): ResolvedPaths {
  if (!NODE_ID_PATTERN.test(nodeId)) throw new TypeError(`${JSON.stringify(nodeId)} is not a node id`)
  const repository = config.dataDir
  const locate = (role: NodeRole): StoreLocation => {
    const { type, path } = storeConfigOf(config, role)
    if (type === 'memory') return { type }
    return { type: 'lmdb', path: path ?? defaultStorePath(repository, nodeId, role) }
  }
  return {
    repository,
    executionStore: locate('compute'),
    jobStore: locate('requester'),
    results: config.results.path ?? join(repository, `${nodeId}${STORE_NAMES.compute.suffix}`, 'results'),
  }
}
