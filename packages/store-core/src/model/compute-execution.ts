import type { Json } from '../kv/json.ts'
import type { ComputeState } from '../states/compute-state.ts'
import type { EndReason } from '../states/end-reason.ts'
import type { JobType } from './job.ts'

/** The job version that caused an execution, as its compute node keeps it; it never changes. */
export interface ExecutionJob<Spec = unknown> {
  readonly id: string
  readonly version: number
  readonly namespace: string
  readonly name: string
  readonly type: JobType
  readonly priority: number
  /** How many shares the job has; absent where it is not in shares, and in what earlier releases wrote. */
  readonly count?: number
  readonly spec: Spec
}

/** An operating-system process, named so that a later process with the same number is not mistaken for it. */
export interface ProcessIdentity {
  readonly pid: number
  /** Start time in clock ticks since boot, as text (field 22 of /proc/PID/stat, proc(5)). */
  readonly startTime: string
  /** The boot in which it ran (/proc/sys/kernel/random/boot_id). */
  readonly bootId: string
}

/** An execution with the work it was given, as the node that carries it out knows it. */
export interface ComputeExecution<Spec = unknown> {
  readonly id: string
  readonly job: ExecutionJob<Spec>
  /** The requester that it is for. */
  readonly requesterId: string
  readonly partition: number | null
  readonly state: ComputeState
  readonly stateMessage: string
  readonly stateSinceMs: number
  /** Why it ended; `null` where it has not, where it completed, and where a release wrote it that noted no reasons. */
  readonly endReason: EndReason | null
  /** How often it was started, from 0. */
  readonly attempt: number
  /** Whether a restart may run it again, because running it twice does no harm. */
  readonly rerunnable: boolean
  /** What looked after the newest attempt: the keeper of its node; `null` before the first. */
  readonly process: ProcessIdentity | null
  readonly resources: Json
  readonly publishedResult: Json
  readonly runOutput: Json
  /** The newest revision that the requester has confirmed; 0 for none. */
  readonly acknowledgedRevision: number
  readonly revision: number
  readonly createdAtMs: number
  readonly modifiedAtMs: number
  readonly finishedAtMs: number | null
  readonly deadlineAtMs: number | null
}

/** An execution as a change has left it; without its job, which no change touches. */
export type ChangedComputeExecution = Omit<ComputeExecution, 'job'>

/** Fields of a compute execution that a change may set; a field that is absent stays, `null` clears. */
export interface ComputeExecutionPatch {
  readonly attempt?: number
  readonly process?: ProcessIdentity | null
  readonly resources?: Json
  readonly publishedResult?: Json
  readonly runOutput?: Json
  readonly deadlineAtMs?: number | null
}
