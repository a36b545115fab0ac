import { dirname, join } from 'node:path'
import type { NodeRole, ResolvedPaths } from '@saltcod/config'
import { makeDirectory, wasReplaced } from '@saltcod/config'
import { type ComputeNode, type ComputeOptions, startCompute } from '../compute/compute-node.ts'
import { computeSettings } from '../settings-of-config.ts'
import type { NodeOptions } from './options.ts'

/** Where the runs of this node and what they write lie. */
export function roomDirectory({ executionStore, repository }: ResolvedPaths, nodeId: string): string {
  return executionStore.type === 'lmdb' ? dirname(executionStore.path) : join(repository, `${nodeId}-compute`)
}

/** Whether the other side works with the store of a role without looking at what it remembers of it. */
export function accepts(
  { config, nodeId, acceptStores = false }: Pick<NodeOptions, 'config' | 'nodeId' | 'acceptStores'>,
  role: NodeRole,
): boolean {
  return acceptStores || wasReplaced(config, nodeId, role)
}

/** What a compute side is started with besides what follows from the configuration. */
export type SideOptions = Pick<ComputeOptions, 'store' | 'link' | 'signal'> & Partial<ComputeOptions>

/** Starts the compute side of a node. */
export async function startSide(
  options: NodeOptions,
  paths: ResolvedPaths,
  side: SideOptions,
): Promise<ComputeNode> {
  const { config, nodeId, log } = options
  const { results } = paths
  const dataDir = roomDirectory(paths, nodeId)
  makeDirectory(dataDir)
  makeDirectory(results)
  return await startCompute({
    nodeId,
    acceptsStore: accepts(options, 'requester'),
    dataDir,
    settings: await computeSettings(config, dataDir, results, nodeId),
    log: log.child({ part: 'compute' }),
    ...side,
  })
}
