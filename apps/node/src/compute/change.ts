import {
  type ChangedComputeExecution,
  type ComputeExecution,
  type ComputeExecutionPatch,
  type ComputeState,
  type EndReason,
  type EventInput,
  isStoreError,
  type OutboxMessage,
  type TextMap,
} from '@saltcod/store-core'
import type { Report } from '../link/link.ts'
import type { ComputeContext } from './context.ts'
import { bodyOf } from './report-row.ts'
import { writeUntilDone } from './write-retry.ts'

/** The states that an execution is brought into for a reason. */
type EndState = 'Failed' | 'Cancelled'

/** Where a change leads: to an end, which has a reason, to another state, or nowhere, where only fields change. */
type Destination =
  | { readonly to: EndState; readonly endReason: EndReason }
  | { readonly to?: Exclude<ComputeState, EndState>; readonly endReason?: never }

/** A change of an execution, as the parts of the compute side decide it. */
export type ExecutionChange = Destination & {
  readonly message: string
  readonly topic: string
  readonly details?: TextMap
  readonly patch?: ComputeExecutionPatch
  /** True where the requester is not told. Default false. */
  readonly unreported?: boolean
  /** A state that the record has already and the requester was not told of; where `to` is absent. */
  readonly untold?: ComputeState
}

/** The report of a change as a row of the outbox; `revision` is that of the record after the change. */
export function reportMessage(
  requesterId: string,
  executionId: string,
  revision: number,
  change: {
    readonly state?: ComputeState
    readonly endReason?: EndReason | undefined
    readonly message: string
    readonly event: EventInput
    readonly patch?: ComputeExecutionPatch
  },
): OutboxMessage {
  const { state, endReason, message, event, patch = {} } = change
  const { resources, publishedResult, runOutput } = patch
  const report: Report = {
    executionId,
    revision,
    message,
    event,
    ...(state === undefined ? {} : { state }),
    ...(endReason === undefined ? {} : { endReason }),
    patch: {
      ...(resources === undefined ? {} : { resources }),
      ...(publishedResult === undefined ? {} : { publishedResult }),
      ...(runOutput === undefined ? {} : { runOutput }),
    },
  }
  return { destination: requesterId, body: bodyOf(report) }
}

/**
 * Changes an execution and writes the report of it in the same transaction. `decide` sees the newest record and
 * returns `null` where there is nothing to do; it is asked again when the record changed meanwhile. Who has just read
 * or written the record hands it over, so that it is read only where it has changed since. Resolves with the record
 * after the change, or `null` where nothing was done or there is no such execution.
 */
export async function changeExecution(
  context: ComputeContext,
  known: ComputeExecution | string,
  decide: (execution: ComputeExecution) => ExecutionChange | null,
): Promise<ComputeExecution | null> {
  const executionId = typeof known === 'string' ? known : known.id
  const read = (): Promise<ComputeExecution | null> => context.store.getExecution(executionId)
  let execution = typeof known === 'string' ? await read() : known
  for (;;) {
    const change = execution === null ? null : decide(execution)
    if (execution === null || change === null) return null
    const written = await write(context, execution, change)
    if (written !== 'conflict') return written
    execution = await read()
  }
}

/** Tries one change of a record. */
async function write(
  { store, log, closing, reportWritten }: ComputeContext,
  execution: ComputeExecution,
  { to, endReason, message, topic, details, patch, unreported = false, untold }: ExecutionChange,
): Promise<ComputeExecution | null | 'conflict'> {
  const { id: executionId, revision } = execution
  const reason = endReason === undefined ? {} : { reason: endReason }
  const event: EventInput = { message, topic, details: { ...details, ...reason } }
  const state = to ?? untold
  const report = reportMessage(execution.requesterId, executionId, revision + 1, {
    message,
    event,
    ...(state === undefined ? {} : { state }),
    endReason,
    ...(patch === undefined ? {} : { patch }),
  })
  const request = {
    executionId,
    expectedRevision: revision,
    message,
    event,
    outbox: unreported ? [] : [report],
    ...(to === undefined ? {} : { to }),
    ...(endReason === undefined ? {} : { endReason }),
    ...(patch === undefined ? {} : { patch }),
  }
  let isUnsure = false
  const update = async (): Promise<ChangedComputeExecution> => {
    try {
      return await store.updateExecution(request)
    } catch (error) {
      isUnsure ||= isStoreError(error, 'OUTCOME_UNKNOWN')
      throw error
    }
  }
  try {
    const changed = await writeUntilDone(update, { signal: closing, log, subject: executionId })
    reportWritten.advance()
    return { ...changed, job: execution.job }
  } catch (error) {
    if (isStoreError(error, 'EXECUTION_NOT_FOUND')) return null
    if (!isStoreError(error, 'REVISION_CONFLICT', 'ALREADY_TERMINAL')) throw error
    // What a try whose outcome was unknown has written must not count as the work of somebody else.
    const now = isUnsure ? await store.getExecution(executionId) : null
    if (now?.revision !== revision + 1 || now.state !== (to ?? execution.state)) return 'conflict'
    reportWritten.advance()
    return now
  }
}
