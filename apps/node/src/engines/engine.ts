import type { Task } from '@saltcod/bacalhau-records'
import type { Keeper } from '../compute/keeper/keeper.ts'
import type { EngineOutcome } from '../compute/keeper/outcome.ts'
import type { RunningProcess } from '../compute/keeper/running-process.ts'
import type { ExecutionWork } from '../inputs/work.ts'
import type { SkippedResult } from '../publishers/publisher.ts'

/** Bounds of one run. Null means unbounded. */
export interface RunLimits {
  /** Wall time from the start of the job's own code; then the job is stopped and the outcome is `timeout`. */
  readonly timeMs: number | null
  /** Memory of all processes of the job together, or of the WebAssembly memory. */
  readonly memoryBytes: number | null
  /** How many processors the job asks for, where they are short. */
  readonly cpus: number | null
  /** The longest file that the job may write, and the most that its results may hold. */
  readonly outputBytes: number
  /** The most that is kept of standard output, and of standard error. */
  readonly logBytes: number
}

/** The job that an execution belongs to, as far as its environment shows it. */
export interface RunJob {
  readonly id: string
  readonly namespace: string
  readonly type: string
}

/** Everything that an engine needs to run one attempt of one execution. */
export interface EngineRun {
  readonly executionId: string
  /** Counts the starts of this execution, from 1. */
  readonly attempt: number
  readonly job: RunJob
  readonly task: Task
  /** What `stageWork` made: the private directory with inputs in place and empty result directories. */
  readonly work: ExecutionWork
  readonly limits: RunLimits
  /** Added to the task's own environment and stronger than it. */
  readonly environment: Readonly<Record<string, string>>
}

/**
 * A run that is ready and has not begun: none of the job's own code has run yet. The caller commits `Running`
 * with the attempt number and `process`, then calls {@link PreparedRun.go}; or it calls
 * {@link PreparedRun.abandon}. If the node dies first, the keeper ends by itself and nothing has run.
 */
export interface PreparedRun {
  /** What to record; null for an engine that needs no process. */
  readonly process: RunningProcess | null
  /** What the history says beside that it runs; empty for nothing. */
  readonly note?: string
  /**
   * Starts the job and resolves when it has ended and every process of it is dead. Never rejects because of
   * the job. Call it once.
   */
  go(): Promise<EngineOutcome>
  /** Gives the run up before `go`; resolves when nothing of it is left. */
  abandon(): Promise<void>
  /**
   * Brings what a run that has ended left as its results into the directories of its work, and answers with what was
   * left out. Throws a `TaskError` beyond the limits. Absent where the job has written there itself.
   */
  gather?(): Promise<readonly SkippedResult[]>
  /** Hears that the end of the run is on record, so that nothing of it is needed any more. */
  settled?(): Promise<void>
}

/** Options of {@link Engine.prepare}. */
export interface PrepareOptions {
  /** Aborted: SIGTERM to the job's process group, and SIGKILL after the grace period; outcome `cancelled`. */
  readonly signal: AbortSignal
  /**
   * Tells, once the signal has aborted, whether only the node ends: a run that outlives it is then left as it is, with
   * the outcome `cancelled`. Default: never.
   */
  readonly isLeft?: () => boolean
  /** Writes into the history how far the making ready is, as often as the engine likes. */
  readonly tell?: (text: string) => void
}

/** Which run something belongs to. */
export interface RunIdentity {
  readonly executionId: string
  readonly attempt: number
}

/** A run that is to end without anybody who looks after it. */
export interface UnwantedRun extends RunIdentity {
  /** Where its log is kept. */
  readonly workDir: string
  /** The most that is kept of standard output, and of standard error. */
  readonly logBytes: number
}

/** How an engine is asked to look after what outlives runs. */
export interface TendOptions {
  /** Tells whether an attempt is on record as running, so that nothing of it may be removed. */
  readonly isWanted: (run: RunIdentity) => Promise<boolean>
  /**
   * Tells where the log of an attempt is kept that is wanted no more; undefined where that is the place of another
   * one, or nothing is on record.
   */
  readonly unwanted: (run: RunIdentity) => Promise<UnwantedRun | undefined>
}

/** What an engine removed. */
export interface TendReport {
  /** The names of what was left over of runs. */
  readonly removed: readonly string[]
  /** What could not be removed, each with the reason; it is found again. */
  readonly stuck?: readonly string[]
  /** What was kept for further runs and is so no more. */
  readonly images?: readonly string[]
}

/**
 * What an engine does whose runs do not end with the node. The record of an execution says `Running` with the attempt
 * before its job's own code begins, as with all engines; by these two the run is found again, so its `process` is
 * `null`.
 */
export interface StandingRuns {
  /**
   * Finds the run of an attempt that is on record as running, whether it was never begun, goes on, or is over; `go` of
   * what is returned begins it only where it never was. `null` where it is gone. Waits where that cannot be found out
   * yet. Rejects when the signal aborts.
   */
  reattach(run: EngineRun, options: PrepareOptions): Promise<PreparedRun | null>
  /** Ends the run of an attempt that nobody looks after, keeps its log, and removes what is left of it. */
  end(run: UnwantedRun): Promise<void>
  /** Removes what is left over; called at the start, before anything begins, and then now and again. */
  tend(options: TendOptions): Promise<TendReport>
}

/** What an engine has fetched by itself for jobs and keeps for further ones. */
export interface ImageCounts {
  /** How many are kept. */
  readonly kept: number
  /** How many were fetched, and removed again, since the start. */
  readonly fetched: number
  readonly removed: number
}

/** Whether an engine can run jobs on this machine, or a one-line reason why not. */
export type Availability = { readonly ok: true } | { readonly ok: false; readonly reason: string }

/**
 * Runs the jobs of one engine type. The log of a job is what the keeper writes into files: what a run without a
 * process says is in the `stdout` and `stderr` of its outcome, which `job describe` shows and `job logs` does not.
 */
export interface Engine {
  /** The type of its kind. */
  readonly type: string
  /** Tells whether the engine can run jobs here and now. */
  available(): Promise<Availability>
  /** Says what of a task cannot be had of this engine here; `null` where all can. Absent where that is always so. */
  denial?(task: Task): Promise<string | null>
  /** Makes a run ready; see {@link PreparedRun}. Rejects only when the machine refuses (no process, no disk). */
  prepare(run: EngineRun, options: PrepareOptions): Promise<PreparedRun>
  /** For an engine whose runs outlive the node; absent where they end with it. */
  readonly standing?: StandingRuns
  /** What looks after its runs, which engines may share; null for one that needs no process. */
  readonly keeper: Keeper | null
  /** Counts the images that it has fetched; absent for one that fetches none. */
  images?(): ImageCounts
  /** What it adds to the labels of its node, for those that want to see or demand it. */
  labels(): Promise<Readonly<Record<string, string>>>
}
