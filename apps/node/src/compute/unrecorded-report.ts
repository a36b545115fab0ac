import type { EndReason } from '@saltcod/store-core'
import type { Report } from '../link/link.ts'
import { retry } from '../waiting/retry.ts'
import type { ComputeContext } from './context.ts'

/**
 * Tells the requester about an execution that this node has no record of: one that it refused, or lost. There is
 * nothing to write such a report with, so it is repeated until it is answered; the command that asks for it is
 * acknowledged only then. Its revision is above every other: it is this node's last word.
 */
export async function reportUnrecorded(
  context: ComputeContext,
  executionId: string,
  endReason: EndReason,
  message: string,
): Promise<void> {
  const { link, nodeId, log, closing } = context
  const event = { message, topic: 'Bidding', details: { NodeID: nodeId, reason: endReason } }
  const revision = Number.MAX_SAFE_INTEGER
  const report: Report = { executionId, revision, state: 'Failed', endReason, message, event }
  const onFailure = (error: unknown): void =>
    log.warn({ err: error, executionId }, 'a report could not be handed over; trying again')
  await retry(() => link.report({ nodeId, reports: [report] }), { signal: closing, onFailure })
}
