import type { EngineKind } from '../engine-kind.ts'
import { EXEC } from './parameters.ts'

/** Runs a native program of the machine, where its operator allows that. */
export const exec: EngineKind = {
  ...EXEC,
  writesInputs: true,
  networks: ['None', 'HTTP', 'Host', 'Full'],
  isOnHost: true,
  writesOutput: true,
  needsDirectory: true,
  async load({ config, keeper }) {
    const { ExecEngine } = await import('./exec-engine.ts')
    const { allow, isolate, freshNamespace } = config.engines.exec
    return new ExecEngine({
      keeper,
      allowed: allow,
      // Jobs that are to see each other still end whole.
      isolation: isolate ? 'pid-namespace' : 'cgroup',
      freshNamespace,
    })
  },
}
