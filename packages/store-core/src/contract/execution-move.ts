import type { EventInput } from '../model/history.ts'
import type { EndReason } from '../states/end-reason.ts'

/** What becomes of an execution in a change, on either side. */
export interface ExecutionMove<State extends string, Patch> {
  /** The new state; absent where only fields change. */
  readonly to?: State
  /** Why it ends; only where `to` ends it, and not as Completed. */
  readonly endReason?: EndReason
  /** Kept with the state. Default: the event's message. */
  readonly message?: string
  readonly patch?: Patch
  readonly event?: EventInput
}
