import { randomUUID } from 'node:crypto'
import {
  type ComputeExecution,
  type ComputeExecutionPatch,
  type ComputeState,
  type EndReason,
  type EventInput,
  isStoreError,
  type Json,
  type OutboxMessage,
  type TextMap,
} from '@saltcod/store-core'
import type { Report } from '../link/link.ts'
import type { ComputeContext } from './context.ts'
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
  // A report is plain data, which the compiler cannot see of an interface.
  return { destination: requesterId, body: report as unknown as Json }
}

/**
 * Changes an execution and writes the report of it in the same transaction. `decide` sees the newest record and
 * returns `null` where there is nothing to do; it is asked again when the record changed meanwhile. Resolves with
 * the record after the change, or `null` where nothing was done or there is no such execution.
 */
export async function changeExecution(
  context: ComputeContext,
  executionId: string,
  decide: (execution: ComputeExecution) => ExecutionChange | null,
): Promise<ComputeExecution | null> {
  const { store, log, closing } = context
  for (;;) {
    const execution = await store.getExecution(executionId)
    const change = execution === null ? null : decide(execution)
    if (execution === null || change === null) return null
    const { to, endReason, message, topic, details, patch, unreported = false } = change
    const reason = endReason === undefined ? {} : { reason: endReason }
    const event: EventInput = { message, topic, details: { ...details, ...reason } }
    const report = reportMessage(execution.requesterId, executionId, execution.revision + 1, {
      message,
      event,
      ...(to === undefined ? {} : { state: to }),
      endReason,
      ...(patch === undefined ? {} : { patch }),
    })
    const request = {
      executionId,
      expectedRevision: execution.revision,
      requestId: randomUUID(),
      message,
      event,
      outbox: unreported ? [] : [report],
      ...(to === undefined ? {} : { to }),
      ...(endReason === undefined ? {} : { endReason }),
      ...(patch === undefined ? {} : { patch }),
    }
    try {
      const changed = await writeUntilDone(() => store.updateExecution(request), {
        signal: closing,
        log,
        subject: executionId,
      })
      context.reportWritten.advance()
      return { ...changed, job: execution.job }
    } catch (error) {
      if (isStoreError(error, 'EXECUTION_NOT_FOUND')) return null
      if (!isStoreError(error, 'REVISION_CONFLICT', 'ALREADY_TERMINAL')) throw error
    }
  }
}
