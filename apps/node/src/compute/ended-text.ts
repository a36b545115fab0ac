import { isLongRunning } from '@saltcod/bacalhau-records'
import type { ExecutionJob, Json } from '@saltcod/store-core'
import { formatDuration } from '@saltcod/units'
import type { EngineOutcome } from './keeper/outcome.ts'
import { droppedOf, lastLines, type RunHeads } from './keeper/outcome.ts'
import type { LogStream } from './keeper/work-files.ts'
import { workDirOf } from './layout.ts'
import type { Hide } from './node-variables.ts'

/**
 * What is kept of how a run ended. Of one that should have gone on for ever also what its end is judged by: for how
 * long it ran, and the last that it wrote to its standard error.
 */
export function runOutputOf(
  dataDir: string,
  { id, job }: { readonly id: string; readonly job: ExecutionJob },
  { ranMs = null, ...outcome }: EngineOutcome,
  hide: Hide,
): Json {
  if (!isLongRunning(job.type)) return { ...outcome }
  return { ...outcome, ranMs, lastErrors: hide(lastLines(workDirOf(dataDir, id), 'stderr')) }
}

/** Says how a run completed. One that ended with another code than 0 has, too, which nobody should have to guess. */
export function completedText(job: ExecutionJob, runOutput: Json): string {
  const { exitCode } = partsOf(runOutput)
  if (isLongRunning(job.type)) return endText(job, `Ended with exit code ${exitCode ?? 0}`, runOutput)
  const completed = exitCode === null || exitCode === 0 ? 'Completed' : `Completed with exit code ${exitCode}`
  return droppedIn(runOutput).length === 0 ? completed : `${completed}; not all that it wrote was kept`
}

/** Returns the streams of which something was dropped, as far as what is kept of a run's end tells it. */
export function droppedIn(runOutput: Json): readonly LogStream[] {
  const { stdout, stderr, stdoutTruncated, stderrTruncated } = fieldsOf(runOutput) as Partial<RunHeads>
  return droppedOf({
    stdout: stdout ?? '',
    stderr: stderr ?? '',
    stdoutTruncated: stdoutTruncated === true,
    stderrTruncated: stderrTruncated === true,
  })
}

/** Adds to how a run ended that should have gone on for ever what helps to see why. */
export function endText(job: ExecutionJob, ending: string, runOutput: Json): string {
  if (!isLongRunning(job.type)) return ending
  const { ranMs, lastErrors, began } = partsOf(runOutput)
  const after = ranMs === null || !began ? '' : ` after ${spanText(ranMs)}`
  return `${ending}${after}${lastErrors === '' ? '' : `; its last errors:\n${lastErrors}`}`
}

function spanText(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)}ms` : formatDuration(Math.round(ms / 1000) * 1000)
}

function partsOf(runOutput: Json): {
  readonly exitCode: number | null
  readonly ranMs: number | null
  readonly lastErrors: string
  /** Whether the job's own code ran at all. */
  readonly began: boolean
} {
  const { exitCode, ranMs, lastErrors, reason } = fieldsOf(runOutput)
  return {
    exitCode: typeof exitCode === 'number' ? exitCode : null,
    ranMs: typeof ranMs === 'number' ? ranMs : null,
    began: reason !== 'start-failed',
    lastErrors: typeof lastErrors === 'string' ? lastErrors : '',
  }
}

function fieldsOf(runOutput: Json): Readonly<Record<string, Json | undefined>> {
  return (typeof runOutput === 'object' && runOutput !== null ? runOutput : {}) as Readonly<
    Record<string, Json | undefined>
  >
}
