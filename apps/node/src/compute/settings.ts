import type { RecoveryPolicy } from '@saltcod/recovery'
import type { EngineRegistry } from '../engines/engine-registry.ts'
import type { InputPolicy } from '../inputs/input-policy.ts'
import type { Capacity } from '../link/link.ts'
import type { Headroom } from './headroom.ts'
import type { NodeVariables } from './node-variables.ts'

/** What an operator decides about a compute side; every value is already checked. */
export interface ComputeSettings {
  readonly labels: Readonly<Record<string, string>>
  /** What all executions together may reserve. */
  readonly capacity: Capacity
  /** Runs at a time, whatever they reserve. */
  readonly maxRunning: number
  /** What the machine must have left where a run is to begin. */
  readonly leastFree: Headroom
  readonly engines: EngineRegistry
  /** The publishers and input sources that this node serves, by type. */
  readonly publishers: readonly string[]
  readonly inputSources: readonly string[]
  /** The longest that any task of an engine type may run; absent for no limit. */
  readonly timeLimitsMs: Readonly<Record<string, number>>
  readonly inputPolicy: InputPolicy
  readonly variables: NodeVariables
  /** Where published results lie, one directory for each execution. */
  readonly resultsDir: string
  /** The most that an execution may leave as results. */
  readonly outputBytes: number
  /** The most that is kept of each output stream. */
  readonly logBytes: number
  readonly recovery: RecoveryPolicy
  readonly heartbeatMs: number
}
