import type { EngineKind } from '../engine-kind.ts'
import { NOOP } from './parameters.ts'

/** Waits, for tests and benchmarks. */
export const noop: EngineKind = {
  ...NOOP,
  writesInputs: false,
  // It runs nothing, so that whatever is chosen is given.
  networks: ['None', 'HTTP', 'Host', 'Full', 'Bridge'],
  isOnHost: false,
  writesOutput: false,
  needsDirectory: false,
  async load() {
    const { NoopEngine } = await import('./noop-engine.ts')
    return new NoopEngine()
  },
}
