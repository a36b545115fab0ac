import type { Constraint, JobSpec } from '@saltcod/bacalhau-records'
import { onlyTask } from '@saltcod/bacalhau-records'
import type { Capacity } from '../../link/link.ts'
import { requestedCapacity } from '../../spec/requested-capacity.ts'

/** All that a node is asked for by an execution of a job. */
export interface JobNeeds {
  /** The same for all jobs that need the same. */
  readonly key: string
  readonly engine: string
  /** Empty where it publishes nothing. */
  readonly publisher: string
  /** The kinds of its inputs, each once. */
  readonly inputs: readonly string[]
  readonly constraints: readonly Constraint[]
  readonly capacity: Capacity
}

/** Returns what a job needs of a node. */
export function needsOf(spec: JobSpec): JobNeeds {
  const { Engine, Publisher, InputSources, Resources } = onlyTask(spec)
  const inputs = [...new Set(InputSources.map(({ Source }) => Source.Type))].toSorted()
  const needs = {
    engine: Engine.Type,
    publisher: Publisher.Type,
    inputs,
    constraints: spec.Constraints,
    capacity: requestedCapacity(Resources),
  }
  return { key: JSON.stringify(needs), ...needs }
}
