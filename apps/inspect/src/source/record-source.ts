import type { Terminal } from '@saltcod/cli-kit'
import type { RecoveryPolicy } from '@saltcod/recovery'
import type { ComputeExecution, Job } from '@saltcod/store-core'
import type { ExitCode } from '../exit-code.ts'
import type { Reasons } from '../explain/compute-node.ts'
import type { Explanation } from '../explain/explanation.ts'
import type { Overview } from '../explain/overview.ts'
import type { WholeListing } from '../store/missing-records.ts'
import type { ExecutionReader, JobReader } from './record-reader.ts'

interface SourceFile {
  readonly path: string
  /** What a cursor names it by. */
  readonly storeId: string
  /** The node that it belongs to; `null` where nothing tells. */
  readonly nodeId: string | null
  /** Tells what an operator wants to know first. */
  overview(nowMs: number): Promise<Overview>
  /**
   * Says so where a listing has fewer records than there must be by what the store counts. Resolves with the exit code
   * for that; `undefined` where nothing is missing, or nothing is counted.
   */
  tellMissing<T>(terminal: Terminal, listing: WholeListing<T>): Promise<ExitCode | undefined>
}

/** A store of jobs that is open for reading, of ours or of Bacalhau. */
export interface JobSource extends SourceFile {
  readonly kind: 'jobs'
  readonly store: JobReader
  /** Tells why a job is where it is, and what comes next. */
  explain(terminal: Terminal, job: Job): Promise<Explanation>
}

/** What is known of the executions of a compute node besides themselves. */
export interface ExplainedNode {
  /** Tells all about an execution. */
  explain(execution: ComputeExecution): Promise<Reasons>
  /** Tells what the requester's side does not know of one. */
  factsOf(execution: ComputeExecution): Promise<Reasons>
}

/** A store of executions that is open for reading, of ours or of Bacalhau. */
export interface ExecutionSource extends SourceFile {
  readonly kind: 'executions'
  readonly store: ExecutionReader
  /** The node of the store; `policy` is what a restart of a node of ours goes by. */
  node(terminal: Terminal, policy: () => Promise<RecoveryPolicy>): ExplainedNode
}

/** A store that is open for reading, whichever it is and whoever wrote it. */
export type RecordSource = JobSource | ExecutionSource
