import type { Json, TextMap } from '@saltcod/store-core'
import type { Task, WrittenJob } from '../spec/job-spec.ts'

/** A state with why it is so. */
export interface WireState<T> {
  readonly StateType: T
  readonly Message: string
}

/** A type with its parameters. */
export interface WireSpecConfig {
  readonly Type: string
  readonly Params?: { readonly [name: string]: Json }
}

/** A task of a job: what was asked for, without what was left out. */
export interface WireTask extends Omit<Task, 'Resources' | 'Network' | 'Timeouts'> {
  readonly Resources: Partial<Task['Resources']>
  readonly Network: Partial<Omit<Task['Network'], 'Type'>> & { readonly Type: string }
  /** Whole seconds. */
  readonly Timeouts: Partial<Task['Timeouts']>
}

/** A job: what was written, and what became of it. Times are nanoseconds since 1970. */
export interface WireJob extends Omit<WrittenJob, 'Count' | 'Tasks'> {
  readonly ID: string
  readonly Count: number
  readonly Tasks: readonly WireTask[]
  readonly State: WireState<string>
  readonly Version: number
  readonly Revision: number
  readonly CreateTime: number
  readonly ModifyTime: number
}

/** What a run left: its exit code and the heads of its output. */
export interface WireRunOutput {
  readonly Stdout: string
  readonly StdoutTruncated: boolean
  readonly stderr: string
  readonly StderrTruncated: boolean
  readonly ExitCode: number
  readonly ErrorMsg: string
}

/** Amounts that were reserved. */
export interface WireResources {
  readonly CPU?: number
  readonly Memory?: number
  readonly Disk?: number
  readonly GPU?: number
}

/** An execution. States are numbers, times nanoseconds since 1970. */
export interface WireExecution {
  readonly ID: string
  readonly Namespace: string
  readonly EvalID: string
  readonly Name: string
  readonly NodeID: string
  readonly JobID: string
  /** The job in the version of the execution; absent where many large ones would be answered. */
  readonly Job?: WireJob
  readonly JobVersion: number
  readonly AllocatedResources: { readonly Tasks: Readonly<Record<string, WireResources>> }
  readonly DesiredState: WireState<number>
  readonly ComputeState: WireState<number>
  /** Why it ended otherwise than completed; absent where it did not, or nobody noted it. */
  readonly EndReason?: string
  readonly PublishedResult: WireSpecConfig
  readonly RunOutput: WireRunOutput | null
  readonly PreviousExecution: string
  readonly NextExecution: string
  readonly FollowupEvalID: string
  readonly PartitionIndex?: number
  readonly Revision: number
  readonly CreateTime: number
  readonly ModifyTime: number
}

/** An entry of a job's history. Times are RFC 3339 texts. */
export interface WireHistory {
  readonly SeqNum: number
  readonly Type: 'JobLevel' | 'ExecutionLevel'
  readonly JobID: string
  readonly JobVersion: number
  readonly NodeID?: string
  readonly ExecutionID?: string
  readonly JobState?: { readonly Previous?: string; readonly New: string }
  readonly ExecutionState?: { readonly Previous?: number; readonly New: number }
  readonly NewRevision: number
  readonly Comment: string
  readonly Event: {
    readonly Message: string
    readonly Topic: string
    readonly Timestamp: string
    readonly Details?: TextMap
  }
  readonly Time: string
}

/** What a node says of its software. */
export interface WireBuildVersion {
  readonly Major: string
  readonly Minor: string
  readonly GitVersion: string
  readonly GitCommit: string
  readonly BuildDate: string
  readonly GOOS: string
  readonly GOARCH: string
}

/** A node and what it offers. */
export interface WireNodeInfo {
  readonly NodeID: string
  readonly NodeType: 'Requester' | 'Compute'
  readonly Labels: TextMap
  readonly SupportedProtocols: readonly string[]
  readonly ComputeNodeInfo?: {
    readonly ExecutionEngines: readonly string[]
    /** Why the node does not offer each of the engines that it knows beside; Bacalhau has no word for it. */
    readonly MissingEngines?: TextMap
    readonly Publishers: readonly string[]
    readonly StorageSources: readonly string[]
    readonly MaxCapacity: WireResources
    readonly QueueCapacity: WireResources
    readonly AvailableCapacity: WireResources
    readonly MaxJobRequirements: WireResources
    readonly RunningExecutions: number
    readonly EnqueuedExecutions: number
    /** Where the node takes connections, which none does: nodes open them. */
    readonly address: ''
  }
  readonly BacalhauVersion: WireBuildVersion
}

/** A node and how it stands to the requester. */
export interface WireNodeState {
  readonly Info: WireNodeInfo
  readonly Membership: string
  readonly Connection: string
  readonly ConnectionState: {
    readonly Status: string
    readonly LastHeartbeat: string
    readonly ConnectedSince: string
    readonly DisconnectedSince: string
  }
  /** What Bacalhau has no words for; absent in answers of other servers. */
  readonly Saltcod?: WireNodeRecord
}

/** What Saltcod remembers of a node. */
export interface WireNodeRecord {
  readonly State: 'connected' | 'silent' | 'lost'
  /** Why another node with its id is refused now; empty where none is. */
  readonly Rival: string
  /** Ended executions on it that the requester does not know, and the ids of the first. */
  readonly Orphans: { readonly Count: number; readonly IDs: readonly string[] }
  readonly Scheduling: 'on' | 'drained'
  /** Why it has its membership and its scheduling; empty where nothing was said. */
  readonly MembershipMessage: string
  readonly SchedulingMessage: string
  /** When what a drained node still runs is to end; empty for by itself. */
  readonly DrainDeadline: string
  readonly FirstSeen: string
  /** Labels that an operator gave it. */
  readonly GivenLabels: TextMap
  /** The store of the node; empty where it is not known, or does not outlast the node's process. */
  readonly StoreID: string
  readonly Incarnation: string
}

/** A page of a listing; an empty `NextToken` is the end. */
export interface WirePage<T> {
  readonly NextToken: string
  readonly Items: readonly T[]
  /**
   * How many were passed over as damaged, and how many a whole listing lacks by the counters of the store; absent
   * where none is known to.
   */
  readonly Missing?: number
}

/** The answer to a submit. */
export interface WirePutJobAnswer {
  readonly JobID: string
  readonly EvaluationID: string
  readonly Warnings: readonly string[] | null
}

/** The answer to a rerun. */
export interface WireRerunAnswer {
  readonly JobID: string
  readonly JobVersion: number
  readonly EvaluationID: string
  readonly Warnings: null
}

/** The answer to a question for one job. */
export interface WireGetJobAnswer {
  readonly Job: WireJob
  readonly History?: WirePage<WireHistory>
  readonly Executions?: WirePage<WireExecution>
}

/** One message of the log's websocket. */
export interface WireLogMessage {
  readonly value?: {
    readonly Type: number
    readonly Line: string
    /** Where to go on behind this line, and which execution wrote it; only for a client that asked to. */
    readonly Next?: string
    readonly ExecutionID?: string
  }
  readonly error?: string
  /** What can be done about the error. */
  readonly hint?: string
}

/** What every error answer holds. */
export interface WireError {
  readonly Status: number
  readonly Message: string
  readonly RequestID: string
  readonly Code: string
  readonly Component: string
  readonly Hint?: string
  readonly Details?: TextMap
}
