import type { Config } from '@saltcod/config'
import { Keeper } from './compute/keeper/keeper.ts'
import { EngineRegistry } from './engines/engine-registry.ts'
import { ExecEngine } from './engines/exec/exec-engine.ts'
import { NoopEngine } from './engines/noop/noop-engine.ts'
import { WasmEngine } from './engines/wasm/wasm-engine.ts'

/** Makes the engines of a node as its operator wants them; its runs lie below `dataDir`. */
export function createEngines(config: Config, dataDir: string): EngineRegistry {
  const keeper = new Keeper({ dataDir })
  return new EngineRegistry([
    new WasmEngine({
      keeper,
      memoryLimitBytes: config.engines.wasm.memoryLimitBytes,
      freshProcess: config.engines.wasm.freshProcess,
    }),
    new ExecEngine({
      keeper,
      allowed: config.engines.exec.allow,
      // Jobs that are to see each other still end whole.
      isolation: config.engines.exec.isolate ? 'pid-namespace' : 'cgroup',
      freshNamespace: config.engines.exec.freshNamespace,
    }),
    new NoopEngine(),
  ])
}
