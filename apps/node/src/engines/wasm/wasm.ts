import type { EngineKind } from '../engine-kind.ts'
import { missingModules } from './modules.ts'
import { WASM, type WasmParameters } from './parameters.ts'

/** Runs a WebAssembly program. */
export const wasm: EngineKind<WasmParameters> = {
  ...WASM,
  writesInputs: false,
  networks: ['None'],
  isOnHost: false,
  writesOutput: true,
  needsDirectory: true,
  inputsOf: ({ inputs }) => inputs,
  problemsOf: missingModules,
  async load({ config, keeper }) {
    const { WasmEngine } = await import('./wasm-engine.ts')
    const { memoryLimitBytes, freshProcess } = config.engines.wasm
    return new WasmEngine({ keeper, memoryLimitBytes, freshProcess })
  },
}
