import type { Config } from './config.ts'
import { type FileKind, fileKind } from './file-kind.ts'
import type { NodeRole } from './settings/node.ts'
import { defaultStorePath, STORE_NAMES, type StoreNames, storeConfigOf } from './store-location.ts'

/** The store of a role as it is configured, and what lies at its path now. */
export interface StoreRole extends StoreNames {
  readonly memory: boolean
  /** Whether it was asked for by Bacalhau's name. */
  readonly askedForBolt: boolean
  readonly path: string
  /** The path that it would have by default. */
  readonly usualPath: string
  readonly kind: FileKind
}

/** Looks at the path of a role's store. */
export function describeRole(config: Config, nodeId: string, role: NodeRole): StoreRole {
  const { type, path } = storeConfigOf(config, role)
  const usualPath = defaultStorePath(config.dataDir, nodeId, role)
  return {
    ...STORE_NAMES[role],
    memory: type === 'memory',
    askedForBolt: type === 'boltdb',
    path: path ?? usualPath,
    usualPath,
    kind: fileKind(path ?? usualPath),
  }
}
