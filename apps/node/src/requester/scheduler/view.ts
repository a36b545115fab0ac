import type { JobSpec } from '@saltcod/bacalhau-records'
import type {
  EvaluationTrigger,
  EventInput,
  Execution,
  Job,
  JobState,
  NewEvaluation,
  NewExecution,
  UpdateExecution,
} from '@saltcod/store-core'
import type { Capacity, ExecutionCommand, NodeDescription, NodeLoad } from '../../link/link.ts'
import type { JobNeeds } from './needs.ts'
import type { Turn } from './precedence.ts'

/** Why a node gets no new work, whatever the job. */
export type NodeClosing = 'silent' | 'lost' | 'drained' | 'pending' | 'rejected'

/** A node that is known, and how much of it is left. */
export interface SchedulableNode {
  readonly description: NodeDescription
  readonly load: Pick<NodeLoad, 'heldBack'>
  /** What it has that is promised to nobody. */
  readonly free: Capacity
  /** So many executions more than it has room for it may be given, since it ends as many in a moment. */
  readonly ahead: number
  /** `null` where it takes new work. */
  readonly closing: NodeClosing | null
  /** The job that has waited so long that what becomes free here is left to it; `null` where there is none. */
  readonly keptFor: Turn | null
}

/** When what should run for ever is started again after it ended. */
export interface RestartRules {
  /** What has run for so long is healthy, and its earlier ends are forgotten. */
  readonly minHealthyMs: number
  /** The first wait; it doubles with each end in a row. */
  readonly delayMs: number
  readonly maxDelayMs: number
  /** How often one share may be started again within the interval; `null` for as often as it ends. */
  readonly attempts: number | null
  readonly intervalMs: number
  /** So many ended executions of a share are kept; older ones are given up with their history. */
  readonly keep: number
}

/** How often and how soon something is tried again. */
export interface RetryRules {
  /** How often one share of a job may be interrupted before the job fails. */
  readonly maxInterruptions: number
  /** How many interruptions in a row are answered at once. */
  readonly immediateInterruptions: number
  /** The first wait after more of them; it doubles. */
  readonly backoffMs: number
  readonly maxBackoffMs: number
  /** How long a job waits before its nodes are looked for again. */
  readonly queueBackoffMs: number
  readonly restarts: RestartRules
}

/**
 * The defaults: 100 interruptions, two at once, then 1 s doubling to a minute; nodes looked for every 30 s; what
 * should run for ever started again after 1 s doubling to a minute.
 */
export const DEFAULT_RETRY_RULES: RetryRules = {
  maxInterruptions: 100,
  immediateInterruptions: 2,
  backoffMs: 1000,
  maxBackoffMs: 60_000,
  queueBackoffMs: 30_000,
  restarts: {
    minHealthyMs: 10_000,
    delayMs: 1000,
    maxDelayMs: 60_000,
    attempts: null,
    intervalMs: 3_600_000,
    keep: 100,
  },
}

/** A node that is given no more work. */
export interface DrainedNode {
  /** Why, for people; empty where nothing was said. */
  readonly reason: string
  /** When what it still runs is to end; `null` for by itself. */
  readonly deadlineAtMs: number | null
}

/** All that a decision about a job rests on. */
export interface SchedulingView {
  readonly job: Job<JobSpec>
  /** Every execution of the job, of all its versions. */
  readonly executions: readonly Execution[]
  /**
   * The nodes that are known. Where what one is, or why it is closed, changes, the list is another one: what nodes can
   * do is remembered with it.
   */
  readonly nodes: readonly SchedulableNode[]
  /** The nodes of executions whose work is given up, and why. */
  readonly lostNodes: ReadonlyMap<string, string>
  /** The nodes of executions that may have something to say yet: they are silent, or have not been back for long. */
  readonly awaitedNodes: ReadonlySet<string>
  /** The nodes of executions that are given no more work. */
  readonly drainedNodes: ReadonlyMap<string, DrainedNode>
  readonly trigger: EvaluationTrigger
  /** Whether somebody remembers what waits for a node, and has it looked at when one may do it. */
  readonly remembersWaiting: boolean
  readonly nowMs: number
  readonly rules: RetryRules
  /** Makes the id of an execution. */
  readonly newExecutionId: () => string
}

/** A command and the node that it goes to. */
export interface AddressedCommand {
  readonly nodeId: string
  readonly command: ExecutionCommand
}

/** A job's move to another state, or to another reason for the one that it is in. */
export interface JobMove {
  /** `null` where it stays and only what is said of it changes. */
  readonly to: JobState | null
  readonly message: string
  readonly event: EventInput
}

/** What of a job waits for a node with room. */
export interface WaitingShares {
  readonly needs: JobNeeds
  readonly shares: number
  /** Nodes that refused all of it. */
  readonly notOn: ReadonlySet<string>
  /** Whether the job fails where no node that is connected can do it, however little those have to do. */
  readonly impatient: boolean
}

/** What is to be done about a job. */
export interface Decision {
  readonly newExecutions: readonly (NewExecution & { readonly id: string })[]
  readonly updates: readonly UpdateExecution[]
  readonly commands: readonly AddressedCommand[]
  readonly job: JobMove | null
  readonly followUps: readonly NewEvaluation[]
  /** What is to be remembered as waiting; `null` where nothing is. */
  readonly waiting: WaitingShares | null
  /** What was decided, for people; empty where nothing was to be done. */
  readonly comment: string
}

/** The most changes of executions in one decision; the rest waits for the follow-up. */
export const MAX_CHANGES = 100
