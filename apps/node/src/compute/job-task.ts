import { failsOnExitCode, type JobSpec, type Task } from '@saltcod/bacalhau-records'
import type { ExecutionJob } from '@saltcod/store-core'

/** Returns the task of a job as its requester wrote it; `null` where the record holds no task (an imported one). */
export function taskOf(job: ExecutionJob): Task | null {
  const spec = job.spec as Partial<JobSpec> | null
  const task: Partial<Task> | undefined = Array.isArray(spec?.Tasks) ? spec.Tasks[0] : undefined
  const complete =
    typeof task?.Engine?.Type === 'string' &&
    typeof task.Publisher?.Type === 'string' &&
    Array.isArray(task.InputSources) &&
    Array.isArray(task.ResultPaths) &&
    isRecord(task.Resources) &&
    isRecord(task.Timeouts)
  return complete ? (task as Task) : null
}

/** Tells whether an exit code makes an execution of a job fail. */
export function isFailureCode(job: ExecutionJob, exitCode: number | null): boolean {
  const { Meta } = (job.spec ?? {}) as Partial<JobSpec>
  return exitCode !== null && exitCode !== 0 && Meta !== undefined && failsOnExitCode({ Meta })
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
