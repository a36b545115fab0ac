import { join } from 'node:path'

/** One input in its place. */
export interface StagedInput {
  /** The absolute path by which the job knows it. */
  readonly target: string
  readonly alias: string
  readonly hostPath: string
  readonly kind: 'file' | 'directory'
}

/** One empty directory that takes results. */
export interface StagedResult {
  /** The folder of the published results that it becomes. */
  readonly name: string
  /** The absolute path by which the job knows it. */
  readonly path: string
  readonly hostPath: string
}

/** The private directory of one attempt, with inputs and result directories in place. */
export interface ExecutionWork {
  /** Mode 0700; holds `root`, the logs, and what the keeper writes. */
  readonly workDir: string
  /**
   * The job's view of the file system: targets and result paths lie below it. May be shared with jobs that change
   * nothing in it.
   */
  readonly rootDir: string
  readonly inputs: readonly StagedInput[]
  readonly results: readonly StagedResult[]
  /** Says that the run is over: what it shared with other runs may be removed. */
  release(): void
}

/** The directory below a work directory in which the job's view of the file system lies. */
export function rootOf(workDir: string): string {
  return join(workDir, 'root')
}
