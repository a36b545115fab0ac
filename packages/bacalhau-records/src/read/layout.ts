import type { Numbering } from './numbering.ts'

/** What a BoltDB file of Bacalhau holds, told by its buckets. */
export type FileLayout =
  | {
      readonly kind: 'jobs'
      /** The releases that made it so. */
      readonly releases: string
      /** What numbers of execution states mean where nothing else tells. */
      readonly numbering: Numbering
    }
  | {
      readonly kind: 'executions'
      readonly releases: string
      /** The buckets of executions, the newest layout first: a file that was upgraded has several. */
      readonly generations: readonly ComputeGeneration[]
    }

/** One layout of a compute node's executions. */
export interface ComputeGeneration {
  readonly executions: string
  /** Where their history is, or their events since v1.5.2. */
  readonly history: string
  /** Whether states are those of a compute node alone (`local`), or the ones of both sides since v1.5.2. */
  readonly states: 'local' | 'shared'
}

const GENERATIONS: readonly (ComputeGeneration & { readonly releases: string })[] = [
  {
    executions: 'v2_executions',
    history: 'v2_execution_events',
    states: 'shared',
    releases: 'v1.5.2 and later',
  },
  {
    executions: 'v1_executions',
    history: 'v1_execution_history',
    states: 'local',
    releases: 'v1.5.0 and v1.5.1',
  },
  { executions: 'execution', history: 'execution-history', states: 'local', releases: 'v1.1 to v1.4' },
]

/** Tells what a file holds by the names of its buckets; `null` where it is none of Bacalhau's stores. */
export function layoutOf(buckets: readonly string[]): FileLayout | null {
  const has = new Set(buckets)
  if (has.has('jobs') && has.has('idx_namespaces')) {
    // The requester has had events since the release that renumbered the states.
    const later = has.has('v1_events')
    const newest = has.has('idx_job_names')
    return {
      kind: 'jobs',
      releases: newest ? 'v1.8 and later' : later ? 'v1.5.2 to v1.7' : 'v1.1 to v1.5.1',
      numbering: later ? 'later' : 'earlier',
    }
  }
  const generations = GENERATIONS.filter(({ executions }) => has.has(executions))
  const [newest] = generations
  return newest === undefined ? null : { kind: 'executions', releases: newest.releases, generations }
}
