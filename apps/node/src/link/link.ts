import type { ComputeState, EndReason, EventInput, ExecutionJob, ExecutionPatch } from '@saltcod/store-core'

/** What a requester tells a compute node about one execution; a row of the requester's outbox. */
export type Command =
  | {
      readonly kind: 'ask-for-bid'
      readonly executionId: string
      readonly job: ExecutionJob
      readonly partition: number | null
      /** The node may start without waiting for `bid-accepted`. */
      readonly approved: boolean
      readonly rerunnable: boolean
      readonly deadlineAtMs: number | null
    }
  | { readonly kind: 'bid-accepted'; readonly executionId: string }
  | ({ readonly kind: 'bid-rejected' } & Ending)
  | ({ readonly kind: 'cancel' } & Ending)

/** What a command says that ends an execution. */
interface Ending {
  readonly executionId: string
  /** For people. */
  readonly reason: string
  /** Absent in commands of earlier releases. */
  readonly endReason?: EndReason
}

/** A command with its place in the requester's outbox. */
export interface Delivery {
  readonly sequence: number
  readonly command: Command
}

/** What a compute node reports of one of its executions; a row of the node's outbox. */
export interface Report {
  readonly executionId: string
  /** The revision of the node's record; an older one never overwrites a newer one. */
  readonly revision: number
  /** The state by the compute node's names; absent where only an event is reported. */
  readonly state?: ComputeState
  /** Why it ended otherwise than as Completed; absent in reports of earlier releases. */
  readonly endReason?: EndReason
  readonly message?: string
  readonly patch?: ExecutionPatch
  readonly event?: EventInput
}

/** How the requester took a report; none of the three stops the stream. */
export type ReportAnswer = 'applied' | 'stale' | 'unknown'

/** How much a node has, and how much of it is free. CPU in cores, the rest in bytes. */
export interface Capacity {
  readonly cpu: number
  readonly memoryBytes: number
  readonly diskBytes: number
  readonly gpu: number
}

/** What a node says of itself. */
export interface NodeDescription {
  readonly nodeId: string
  readonly labels: Readonly<Record<string, string>>
  readonly engines: readonly string[]
  readonly publishers: readonly string[]
  readonly inputSources: readonly string[]
  readonly capacity: Capacity
}

/** What changes about a node while it works. */
export interface NodeLoad {
  readonly available: Capacity
  readonly runningExecutions: number
  readonly enqueuedExecutions: number
  /** Those among them that wait because the machine itself has too little left. */
  readonly heldBack: number
}

/** What a node that starts is told about an execution that it remembers. */
export type HandshakeAnswer = 'continue' | 'stop' | 'forget'

/** An execution that has not ended, as a node reports it when it starts. */
export interface HandshakeExecution {
  readonly executionId: string
  readonly state: ComputeState
  readonly revision: number
}

/** A part of what a job wrote: one line or several, with their ends. */
export interface LogPart {
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
  /** How far the log is read with this part. */
  readonly position: LogPosition
}

/** How far the log of an execution is read: bytes of each stream, of what one attempt wrote. */
export interface LogPosition {
  readonly attempt: number
  readonly stdout: number
  readonly stderr: number
}

/** What a compute node serves on request of the requester: logs and kept results. */
export interface ComputePeer {
  /**
   * Yields an execution's output; to its end with `follow`, only what is new with `tail`. Behind `from` where the same
   * attempt wrote that; what a later attempt wrote comes whole. Throws `EXECUTION_NOT_FOUND`.
   */
  readLog(request: {
    readonly executionId: string
    readonly follow: boolean
    readonly tail: boolean
    readonly from?: LogPosition | undefined
    readonly signal: AbortSignal
  }): AsyncIterable<LogPart>
  /** Says what archive there is of the published results of an execution; `null` where none are kept. */
  describeResults(request: { readonly executionId: string }): Promise<ResultArchive | null>
  /** Yields the bytes of that archive from `from` to before `to`. Throws where it is not the one with this tag. */
  readResults(request: {
    readonly executionId: string
    readonly tag: string
    readonly from: number
    readonly to: number
    readonly signal: AbortSignal
  }): AsyncIterable<Uint8Array>
}

/** The published results of an execution as a tar.gz. */
export interface ResultArchive {
  readonly bytes: number
  /** Another one where anything in the results is another. */
  readonly tag: string
}

/**
 * The requester as a compute node sees it. The node opens every connection. Today both are in one process;
 * every argument and answer is plain data so that it can travel.
 */
export interface Link {
  /** The first call after every start: nothing is started, rerun or published before it was answered. */
  handshake(request: {
    readonly node: NodeDescription
    readonly load: NodeLoad
    readonly executions: readonly HandshakeExecution[]
    readonly peer: ComputePeer
  }): Promise<Readonly<Record<string, HandshakeAnswer>>>
  /** Waits for commands behind a sequence number, at most `waitMs`; an empty list where none came. */
  poll(request: {
    readonly nodeId: string
    readonly afterSequence: number
    readonly limit: number
    readonly waitMs: number
    readonly signal: AbortSignal
  }): Promise<readonly Delivery[]>
  /** Confirms that the node has stored the effect of every command up to a sequence number. */
  acknowledge(request: { readonly nodeId: string; readonly upToSequence: number }): Promise<void>
  /** Hands reports over in order; the answers are durable. */
  report(request: {
    readonly nodeId: string
    readonly reports: readonly Report[]
  }): Promise<readonly ReportAnswer[]>
  /** Says that the node is alive and how busy it is. */
  heartbeat(request: { readonly nodeId: string; readonly load: NodeLoad }): Promise<void>
}
