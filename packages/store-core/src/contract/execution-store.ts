import type { Json } from '../kv/json.ts'
import type {
  ChangedComputeExecution,
  ComputeExecution,
  ComputeExecutionPatch,
  ExecutionJob,
} from '../model/compute-execution.ts'
import type { FinishedExecution, RecordSize } from '../model/finished.ts'
import type { EventInput, HistoryEntry } from '../model/history.ts'
import type { Page, PageRequest } from '../model/page.ts'
import type { ChangeRequest } from '../model/request.ts'
import type { ComputeState } from '../states/compute-state.ts'
import type { Expectation } from '../states/transitions.ts'
import type { DurableStore } from './durable-store.ts'
import type { ExecutionMove } from './execution-move.ts'

/** Work that a requester gave this node. */
export interface CreateComputeExecution<Spec = unknown> extends ChangeRequest {
  readonly id: string
  readonly job: ExecutionJob<Spec>
  readonly requesterId: string
  /** Default `Created`. */
  readonly state?: 'Created' | 'BidAccepted'
  readonly partition?: number | null
  /** Default false. */
  readonly rerunnable?: boolean
  readonly resources?: Json
  readonly deadlineAtMs?: number | null
  readonly event?: EventInput
}

/** A change of a compute execution: a state, other fields, or both. */
export interface UpdateComputeExecution
  extends ExecutionMove<ComputeState, ComputeExecutionPatch>,
    Expectation<ComputeState>,
    ChangeRequest {
  readonly executionId: string
}

/** The newest revision that the requester has confirmed. */
export interface AcknowledgeExecution {
  readonly executionId: string
  readonly revision: number
}

/** An execution to be deleted. */
export interface DeleteExecution extends ChangeRequest {
  readonly executionId: string
}

/** An entry that changes no state. */
export interface AddExecutionHistory extends ChangeRequest {
  readonly executionId: string
  readonly event: EventInput
}

/** Which execution's history to list. */
export interface ExecutionHistoryQuery extends PageRequest {
  readonly executionId: string
}

/** Which executions to list; without a condition all. */
export interface ComputeExecutionQuery extends PageRequest {
  readonly jobId?: string
  readonly states?: readonly ComputeState[]
  /** Only those that have not ended. */
  readonly inProgress?: boolean
  /** Only those in a live state. */
  readonly live?: boolean
}

/** Which of the executions that have ended to list. */
export interface FinishedExecutionQuery extends PageRequest {
  readonly state: ComputeState
}

/** The compute node's memory: the executions it was given and their history. */
export interface ExecutionStore<Spec = unknown> extends DurableStore {
  /** Creates an execution. Throws `EXECUTION_ALREADY_EXISTS`, `INVALID_ARGUMENT`. */
  createExecution(request: CreateComputeExecution<Spec>): Promise<ComputeExecution<Spec>>
  /**
   * Changes an execution and returns it without its job, which is not even read. Throws `EXECUTION_NOT_FOUND` and
   * the codes of `checkTransition`.
   */
  updateExecution(request: UpdateComputeExecution): Promise<ChangedComputeExecution>
  /** Notes the newest revision that the requester has confirmed. Throws `EXECUTION_NOT_FOUND`. */
  acknowledgeExecution(request: AcknowledgeExecution): Promise<void>
  /** Returns an execution; `null` where there is none. Throws `RECORD_CORRUPT`. */
  getExecution(id: string): Promise<ComputeExecution<Spec> | null>
  /** Finds an execution by id or short id. Throws `EXECUTION_NOT_FOUND`, `AMBIGUOUS_ID`. */
  findExecution(text: string): Promise<ComputeExecution<Spec>>
  /** Lists executions: of a job by creation, otherwise by the time of the state. */
  listExecutions(query?: ComputeExecutionQuery): Promise<Page<ComputeExecution<Spec>>>
  /**
   * Lists the executions that ended in a state, in the order in which they ended. Throws `INVALID_ARGUMENT` for a
   * state that is no end.
   */
  listFinishedExecutions(query: FinishedExecutionQuery): Promise<Page<FinishedExecution>>
  /** Adds up what there is of an execution; `null` where there is none. Throws `RECORD_CORRUPT`. */
  measureExecution(executionId: string): Promise<RecordSize | null>
  /**
   * Removes an ended execution from every listing and count; `reclaim` removes its rows. Throws
   * `EXECUTION_NOT_FOUND`, and `STATE_CONFLICT` where it has not ended.
   */
  deleteExecution(request: DeleteExecution): Promise<void>
  /** Adds an entry that changes no state. Throws `EXECUTION_NOT_FOUND`. */
  addHistory(request: AddExecutionHistory): Promise<HistoryEntry>
  /** Lists an execution's history, oldest first. */
  listHistory(query: ExecutionHistoryQuery): Promise<Page<HistoryEntry>>
  /** Returns a named number, such as the newest command that was taken in; 0 where none was stored. */
  getCheckpoint(name: string): Promise<number>
  /** Stores a named number. Throws `INVALID_ARGUMENT` for a blank name or a number that is not a whole one from 0. */
  setCheckpoint(name: string, value: number): Promise<void>
}
