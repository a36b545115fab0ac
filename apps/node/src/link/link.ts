import type {
  ComputeExecution,
  ComputeState,
  EndReason,
  EventInput,
  ExecutionJob,
  ExecutionPatch,
} from '@saltcod/store-core'

/** What a requester tells a compute node; a row of the requester's outbox. */
export type Command =
  | ExecutionCommand
  /** A job was removed: nothing of it is to be left on the node. */
  | { readonly kind: 'forget-job'; readonly jobId: string }

/** What a requester tells a compute node about one execution. */
export type ExecutionCommand =
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
  /** It ended long ago, and the requester has given its record up. */
  | { readonly kind: 'forget'; readonly executionId: string }

/** What a command says that ends an execution. */
interface Ending {
  readonly executionId: string
  /** For people. */
  readonly reason: string
  /** Absent in commands of earlier releases. */
  readonly endReason?: EndReason
}

/** Why an execution is not wanted any more. */
export type WhyStopped = Omit<Ending, 'executionId'>

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

/** What program a node is, and of what machine. */
export interface NodeRelease {
  /** With its v. */
  readonly version: string
  /** As Go names them. */
  readonly os: string
  readonly arch: string
}

/** What a node says of itself. */
export interface NodeDescription {
  readonly nodeId: string
  readonly labels: Readonly<Record<string, string>>
  readonly engines: readonly string[]
  /** Why it has not each of the engines that it knows and cannot offer; absent where an earlier release says it. */
  readonly missingEngines?: Readonly<Record<string, string>>
  readonly publishers: readonly string[]
  readonly inputSources: readonly string[]
  readonly capacity: Capacity
  /** Absent where an earlier release says nothing of itself. */
  readonly release?: NodeRelease
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

/** An execution that has not ended, or whose end was not taken yet, as a node names it when it shakes hands. */
export interface HandshakeExecution {
  readonly executionId: string
  readonly state: ComputeState
  readonly revision: number
}

/** What a side of the link tells the other one of its own store. */
export interface LinkedStore {
  /** Empty where the row with it is damaged. */
  readonly storeId: string
  /** Whether it is there after a restart. */
  readonly durable: boolean
  /** The newest sequence number. */
  readonly sequence: number
  /** Its openings for writing, the newest first, and not all where there were many. */
  readonly openings: readonly { readonly id: string; readonly firstSequence: number }[]
  /**
   * The opening at which somebody put the requester's store in the place of another one, or of a newer one, on
   * purpose: each node takes it once for that. Absent where nobody did.
   */
  readonly takenOver?: string
}

/**
 * The versions of what is said over the link that this release speaks, the one that it likes best first. Each release
 * speaks the one before too where it is the requester, so requesters are upgraded first.
 */
export const LINK_VERSIONS = { requester: [2, 1], node: [2] } as const

/** What the requester answers to a handshake. */
export type HandshakeReply =
  | {
      /** The version that is spoken from now on; absent means 1. */
      readonly version?: number
      /** The id of the requester; absent in version 1. */
      readonly requesterId?: string
      /** Stands for this handshake in whatever the node says from now on; absent in version 1. */
      readonly session?: string
      readonly store: LinkedStore
      /** What each execution that was named is to do. */
      readonly answers: Readonly<Record<string, HandshakeAnswer>>
      /** Why each that is to stop is; absent where an earlier release answers. */
      readonly whyStopped?: Readonly<Record<string, WhyStopped>>
      /** After so long a silence the node gets no new work; absent where an earlier release answers. */
      readonly silentAfterMs?: number
    }
  /** Why the requester does not work with that node, or that store of it. */
  | { readonly refusal: string }

/** What says which handshake it follows. */
export interface InSession {
  /** Absent in version 1. */
  readonly session?: string
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

/** The published results of an execution as a tar.gz. */
export interface ResultArchive {
  readonly bytes: number
  /** Another one where anything in the results is another. */
  readonly tag: string
}

/** Asks for an execution's output. */
export interface LogDemand {
  readonly kind: 'log'
  readonly executionId: string
  /** To the end of the execution, and not of what is there now. */
  readonly follow: boolean
  /** Only what is new. */
  readonly tail: boolean
  /** Behind this where the same attempt wrote that; what a later attempt wrote comes whole. */
  readonly from: LogPosition | null
}

/** Asks what archive there is of the published results of an execution; no chunk comes where none are kept. */
export interface ArchiveDemand {
  readonly kind: 'archive'
  readonly executionId: string
}

/** Asks for the bytes of that archive from `from` to before `to`; fails where it is not the one with this tag. */
export interface ResultsDemand {
  readonly kind: 'results'
  readonly executionId: string
  readonly tag: string
  readonly from: number
  readonly to: number
}

/** Asks for the node's own record of an execution; no chunk comes where it has none. */
export interface ExecutionDemand {
  readonly kind: 'execution'
  readonly executionId: string
}

/** An execution as its node knows it. */
export type ExecutionOnNode = Pick<
  ComputeExecution,
  'state' | 'stateMessage' | 'stateSinceMs' | 'endReason' | 'attempt' | 'revision'
>

/** What a requester wants to read of what a node keeps. Nothing durable: whoever wanted it asks again. */
export type DemandBody = LogDemand | ArchiveDemand | ResultsDemand | ExecutionDemand

/** A demand with its number; numbers rise, also where the requester begins anew. */
export type Demand = { readonly number: number } & DemandBody

/** Of what the parts are that a demand of each kind is supplied in. */
export interface ChunkOf {
  readonly log: LogPart
  readonly archive: ResultArchive
  readonly results: Uint8Array
  readonly execution: ExecutionOnNode
}

/** One part of what was demanded. */
export type Chunk = ChunkOf[DemandBody['kind']]

/**
 * Begins to yield what was demanded. The signal aborts when nobody wants the rest; what is yielded then is dropped.
 */
export type OpenChunks = (signal: AbortSignal) => AsyncIterable<Chunk>

/** The first message after every start: what the node is, and what it has to do with its executions. */
export interface Handshake {
  /** The versions of the link that the node speaks; absent means 1. */
  readonly versions?: readonly number[]
  readonly node: NodeDescription
  readonly load: NodeLoad
  readonly store: LinkedStore
  readonly executions: readonly HandshakeExecution[]
}

/** Asks for commands behind a sequence number. */
export interface Poll extends InSession {
  readonly nodeId: string
  readonly afterSequence: number
  readonly limit: number
  /** So long is waited for the first one. */
  readonly waitMs: number
}

/** Says that the node has stored the effect of every command up to a sequence number. */
export interface Acknowledgement extends InSession {
  readonly nodeId: string
  readonly upToSequence: number
}

/** Reports in the order in which they were written. */
export interface Reports extends InSession {
  readonly nodeId: string
  readonly reports: readonly Report[]
}

/** Ended executions that a node keeps and its requester does not know. */
export interface Orphans {
  readonly count: number
  /** The first of them. */
  readonly ids: readonly string[]
}

/** Says that the node is alive and how busy it is. */
export interface Heartbeat extends InSession {
  readonly nodeId: string
  readonly load: NodeLoad
  /** How far the node's store has come. */
  readonly sequence: number
  /** Absent where there are none. */
  readonly orphans?: Orphans
}

/** How far the requester's store has come. */
export interface HeartbeatReply {
  readonly sequence: number
}

/** Asks for demands behind a number. */
export interface DemandPoll {
  readonly nodeId: string
  readonly afterNumber: number
  /** So long is waited for the first one. */
  readonly waitMs: number
}

/** Says which demand a stream of chunks is for. */
export interface Supply {
  readonly nodeId: string
  readonly number: number
}

/**
 * The requester as a compute node sees it, and as it offers itself to a transport: both ends have the same form. The
 * node opens everything. Every request, answer and chunk is plain data that `structuredClone` copies. The signals and
 * the iterables are none of what is said: with them a side tells its transport that it waits no longer, and the
 * transport tells the other side in its own way. What one end throws the other end throws too (`plain-error.ts`), and
 * `LINK_CLOSED` where the other end is gone. `limits.ts` says how large things may be.
 */
export interface Link {
  /**
   * The first call after every start: nothing is started, rerun or published before it was answered. What is asked
   * without it is refused with `LINK_UNKNOWN`, also where the requester has begun anew meanwhile, or another handshake
   * of a node of that id has followed; only demands are not. Refused with `LINK_VERSION` where both sides speak no
   * version in common.
   */
  handshake(request: Handshake): Promise<HandshakeReply>
  /** Waits for commands; an empty list where none came. */
  poll(request: Poll, signal: AbortSignal): Promise<readonly Delivery[]>
  /** Resolves when it is noted. */
  acknowledge(request: Acknowledgement): Promise<void>
  /** Hands reports over; the answers are durable. Whoever wants them in order waits for each answer. */
  report(request: Reports): Promise<readonly ReportAnswer[]>
  /** Resolves when it is noted. */
  heartbeat(request: Heartbeat): Promise<HeartbeatReply>
  /** Waits for demands; an empty list where none came. */
  demands(request: DemandPoll, signal: AbortSignal): Promise<readonly Demand[]>
  /**
   * Sends what was demanded, no faster than it is taken. Resolves when all is sent, or nobody wants it any more; opens
   * nothing where nobody did. What the chunks throw is thrown to whoever reads them, and so is `LINK_CLOSED` where the
   * signal aborts before the end.
   */
  supply(request: Supply, open: OpenChunks, signal: AbortSignal): Promise<void>
}
