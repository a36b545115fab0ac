import type { Config } from '@saltcod/config'
import { Keeper } from './compute/keeper/keeper.ts'
import { EngineRegistry } from './engines/engine-registry.ts'
import { ENGINE_KINDS } from './engines/kinds.ts'

/** Makes the engines of a node as its operator wants them; its runs lie below `dataDir`. */
export async function createEngines(
  config: Config,
  dataDir: string,
  nodeId: string,
): Promise<EngineRegistry> {
  const setup = { config, keeper: new Keeper({ dataDir }), nodeId, dataDir, environment: process.env }
  return new EngineRegistry(await Promise.all(ENGINE_KINDS.map((kind) => kind.load(setup))))
}
