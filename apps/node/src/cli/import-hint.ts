import { existsSync } from 'node:fs'
import { shellWord } from '@saltcod/cli-kit'
import { type Config, fileKind, listStores, readNodeId, type StoreFinding } from '@saltcod/config'

/**
 * Says how what Bacalhau left comes over, with the command for it as the last words; `undefined` where no file of it
 * is in the way, or where an import would refuse this repository.
 */
export function importHint(config: Config, refusals: readonly StoreFinding[]): string | undefined {
  const { dataDir } = config
  const found = refusals.flatMap(({ kind, paths }) =>
    kind === 'older-default' || kind === 'other-node' || kind === 'bolt-at-path'
      ? paths
          .filter((path) => fileKind(path) === 'bolt')
          .map((path) => ({ path, isOwn: kind === 'bolt-at-path' }))
      : [],
  )
  const isInside = (path: string): boolean => path.startsWith(`${dataDir}/`)
  const first = found.find(({ path }) => isInside(path)) ?? found[0]
  if (first === undefined || hasOwnStores(dataDir)) return undefined
  const own = found.find(({ isOwn }) => isOwn)
  // An import keeps the id that a repository has, and takes no file away.
  if (own !== undefined && isInside(own.path) && !keepsNoId(dataDir)) return undefined
  const source = isInside(first.path) ? dataDir : first.path
  const id = own === undefined && config.nodeId !== undefined ? ` --node-id ${shellWord(config.nodeId)}` : ''
  const start =
    own === undefined
      ? ''
      : `, then start without ${isInside(own.path) ? 'a node id' : 'the path of that store'}`
  return `bring over what Bacalhau knows (without --apply it is only tried)${start}: saltcod-inspect import ${shellWord(source)} --to ${shellWord(dataDir)}${id} --apply`
}

function hasOwnStores(repository: string): boolean {
  if (!existsSync(repository)) return false
  try {
    return listStores(repository).some(({ path }) => fileKind(path) !== 'bolt')
  } catch {
    return true
  }
}

function keepsNoId(repository: string): boolean {
  const kept = readNodeId(repository)
  return 'nodeId' in kept && kept.nodeId === undefined
}
