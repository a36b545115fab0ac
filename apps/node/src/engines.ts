import type { Config } from '@saltcod/config'
import { ExecEngine } from './compute/engine/exec.ts'
import { NoopEngine } from './compute/engine/noop.ts'
import { EngineRegistry } from './compute/engine/registry.ts'
import { WasmEngine } from './compute/engine/wasm.ts'

/** Makes the engines of a node as its operator wants them. */
export function createEngines(config: Config): EngineRegistry {
  return new EngineRegistry([
    new WasmEngine({ memoryLimitBytes: config.engines.wasm.memoryLimitBytes }),
    new ExecEngine({ allowed: config.engines.exec.allow }),
    new NoopEngine(),
  ])
}
