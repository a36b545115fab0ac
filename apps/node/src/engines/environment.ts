import type { EngineRun } from './engine.ts'

/**
 * The environment of a job: its task's own, the system's `BACALHAU_*` variables, and what the caller adds,
 * the later ones stronger; sorted by name. Nothing of the node's own environment is in it.
 */
export function jobEnvironment(run: EngineRun): Record<string, string> {
  const all: Record<string, string> = {
    ...run.task.Env,
    BACALHAU_EXECUTION_ID: run.executionId,
    BACALHAU_JOB_ID: run.job.id,
    BACALHAU_JOB_TYPE: run.job.type,
    ...run.environment,
  }
  return Object.fromEntries(Object.entries(all).sort(([left], [right]) => (left < right ? -1 : 1)))
}
