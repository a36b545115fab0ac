import { requireObject, requireOptionalFlag } from '../arguments/argument-types.ts'
import { checkChoices, checkInteger, checkText } from '../arguments/limits.ts'
import type {
  AcknowledgeExecution,
  AddExecutionHistory,
  ComputeExecutionQuery,
  CreateComputeExecution,
  DeleteExecution,
  ExecutionHistoryQuery,
  ExecutionStore,
  FinishedExecutionQuery,
  UpdateComputeExecution,
} from '../contract/execution-store.ts'
import { DurableStoreOnKv } from '../durable/durable-store-on-kv.ts'
import { refuseUnknownFields } from '../durable/request-fields.ts'
import type { FoldPlan } from '../fold/fold-step.ts'
import type { KvSnapshot } from '../kv/contract.ts'
import { decodeId, decodeTuple, tuple } from '../kv/tuple.ts'
import type { Migration } from '../migrations/migration.ts'
import type { CheckOptions, CheckReport } from '../model/check-report.ts'
import type { ChangedComputeExecution, ComputeExecution } from '../model/compute-execution.ts'
import type { FinishedExecution, RecordSize } from '../model/finished.ts'
import type { HistoryEntry } from '../model/history.ts'
import type { Page } from '../model/page.ts'
import type { ReclaimReport } from '../model/store-info.ts'
import { executionKey, executionsOfJob } from '../rows/execution-rows.ts'
import { historyTable, readHistoryEntry, toHistoryEntry } from '../rows/history.ts'
import { checkpointTable } from '../rows/meta-table.ts'
import type { Listing } from '../rows/pager.ts'
import { matchShortId } from '../rows/short-id.ts'
import {
  COMPUTE_MACHINE,
  COMPUTE_STATES,
  type ComputeState,
  LIVE_COMPUTE_STATES,
} from '../states/compute-state.ts'
import {
  acknowledgeCompute,
  createCompute,
  deleteCompute,
  recordComputeEvent,
  updateCompute,
} from './change-compute.ts'
import { checkExecutionStore } from './check-executions.ts'
import { computeRows, loadCompute, toComputeExecution } from './compute-row.ts'
import { EXECUTION_STORE_FIELDS } from './execution-store-fields.ts'
import { finishedExecutionListing, measureExecution } from './finished-executions.ts'
import { FOLD_EXECUTIONS } from './fold-executions.ts'
import { reclaimExecutions } from './reclaim-executions.ts'

/** States in which work begins; the way to all others leads to an end. */
const BEGINNINGS: ReadonlySet<ComputeState> = new Set(['Created', 'BidAccepted', 'Running'])

const FREES = { frees: true } as const

/** The execution store on a key-value backend: each method is one transaction around an operation of this folder. */
export class ExecutionStoreOnKv<Spec = unknown> extends DurableStoreOnKv implements ExecutionStore<Spec> {
  static {
    refuseUnknownFields(ExecutionStoreOnKv.prototype, EXECUTION_STORE_FIELDS)
  }

  protected readonly foldPlan: FoldPlan = FOLD_EXECUTIONS
  protected readonly migrations: readonly Migration[] = []

  async createExecution(request: CreateComputeExecution<Spec>): Promise<ComputeExecution<Spec>> {
    return await this.mutate('createExecution', request, (mutation) =>
      createCompute<Spec>(mutation, request, this.parts.maxSpecBytes),
    )
  }

  async updateExecution(request: UpdateComputeExecution): Promise<ChangedComputeExecution> {
    return await this.mutate('updateExecution', request, (mutation) => updateCompute(mutation, request), {
      frees: request.to !== undefined && !BEGINNINGS.has(request.to),
    })
  }

  async acknowledgeExecution(request: AcknowledgeExecution): Promise<void> {
    requireObject('request', request)
    await this.mutate(
      'acknowledgeExecution',
      {},
      (mutation) => acknowledgeCompute(mutation, request.executionId, request.revision),
      FREES,
    )
  }

  async getExecution(id: string): Promise<ComputeExecution<Spec> | null> {
    return await this.read((snapshot) => {
      const found = computeRows.find(snapshot, id)
      return found === undefined ? null : toComputeExecution<Spec>(snapshot, found, this.aheadMs(snapshot))
    })
  }

  async findExecution(text: string): Promise<ComputeExecution<Spec>> {
    return await this.read((snapshot) => {
      const [match] =
        computeRows.find(snapshot, text) === undefined ? matchShortId(snapshot, 'executions', 'e', text) : []
      return toComputeExecution<Spec>(snapshot, loadCompute(snapshot, match ?? text), this.aheadMs(snapshot))
    })
  }

  async listExecutions(query: ComputeExecutionQuery = {}): Promise<Page<ComputeExecution<Spec>>> {
    return await this.page((snapshot) => computeListing<Spec>(snapshot, query, this.aheadMs(snapshot)), query)
  }

  async listFinishedExecutions(query: FinishedExecutionQuery): Promise<Page<FinishedExecution>> {
    return await this.page((snapshot) => finishedExecutionListing(snapshot, query), query)
  }

  async measureExecution(executionId: string): Promise<RecordSize | null> {
    return await this.read((snapshot) => measureExecution(snapshot, executionId))
  }

  async deleteExecution(request: DeleteExecution): Promise<void> {
    await this.mutate(
      'deleteExecution',
      request,
      (mutation) => deleteCompute(mutation, request.executionId),
      FREES,
    )
  }

  async addHistory(request: AddExecutionHistory): Promise<HistoryEntry> {
    return await this.mutate('addHistory', request, (mutation) => {
      const { rows } = mutation
      const execution = loadCompute(rows, request.executionId)
      const sequence = recordComputeEvent(mutation, execution, execution.row.state, request.event)
      return readHistoryEntry(
        rows,
        { jobId: execution.row.jobId, executionId: execution.id },
        execution.key,
        sequence,
      )
    })
  }

  async listHistory(query: ExecutionHistoryQuery): Promise<Page<HistoryEntry>> {
    return await this.page((snapshot) => computeHistoryListing(snapshot, query.executionId), query)
  }

  async getCheckpoint(name: string): Promise<number> {
    checkText('checkpoint name', name)
    return await this.read((snapshot) => checkpointTable.get(snapshot, tuple('checkpoint', name))?.value ?? 0)
  }

  async setCheckpoint(name: string, value: number): Promise<void> {
    checkText('checkpoint name', name)
    checkInteger('checkpoint', value, 0)
    await this.mutate(
      'setCheckpoint',
      {},
      ({ rows }) => {
        checkpointTable.put(rows, tuple('checkpoint', name), { value })
      },
      FREES,
    )
  }

  async reclaim(): Promise<ReclaimReport> {
    return await this.mutate('reclaim', {}, reclaimExecutions, { background: true })
  }

  async check(options: CheckOptions = {}): Promise<CheckReport> {
    return await checkExecutionStore(this.parts, options)
  }
}

function computeListing<Spec>(
  snapshot: KvSnapshot,
  query: ComputeExecutionQuery,
  aheadMs: number,
): Listing<ComputeExecution<Spec>> {
  const { limit: _limit, cursor: _cursor, reverse: _reverse, ...conditions } = query
  checkChoices('state', query.states, COMPUTE_STATES)
  requireOptionalFlag('inProgress', query.inProgress)
  requireOptionalFlag('live', query.live)
  const states = new Set(
    (query.states ?? COMPUTE_STATES).filter(
      (state) =>
        (query.inProgress !== true || !COMPUTE_MACHINE.terminal.has(state)) &&
        (query.live !== true || LIVE_COMPUTE_STATES.has(state)),
    ),
  )
  return {
    table: 'index',
    prefixes:
      query.jobId === undefined
        ? [...states].map((state) => computeRows.statePrefix(state))
        : [executionsOfJob(query.jobId)],
    query: ['compute', conditions],
    idOf: (key) => decodeId('e', decodeTuple(key).at(-1)),
    load: (key) => {
      const found = computeRows.find(snapshot, decodeId('e', decodeTuple(key).at(-1)))
      if (found === undefined || !states.has(found.row.state)) return undefined
      if (query.jobId !== undefined && found.row.jobId !== query.jobId) return undefined
      return toComputeExecution<Spec>(snapshot, found, aheadMs)
    },
  }
}

function computeHistoryListing(snapshot: KvSnapshot, executionId: string): Listing<HistoryEntry> {
  const key = executionKey(executionId)
  const execution = computeRows.find(snapshot, executionId)
  return {
    table: 'history',
    prefixes: [key],
    query: ['history', executionId],
    idOf: (entryKey) => `${executionId} entry ${String(decodeTuple(entryKey).at(-1))}`,
    load: (entryKey, value) =>
      execution &&
      toHistoryEntry(
        { jobId: execution.row.jobId, executionId },
        entryKey,
        historyTable.decode(entryKey, value),
      ),
  }
}
