import type { Json } from '../kv/json.ts'

/** A message to be delivered, written in the same transaction as the change that it tells of. */
export interface OutboxMessage {
  /** Who is to get it, for instance a node id. */
  readonly destination: string
  /** At most 65,536 bytes of JSON more than the largest specification. */
  readonly body: Json
}

/** A message that waits for its receiver's acknowledgement. */
export interface OutboxRow extends OutboxMessage {
  /** Order within the store; rising, with gaps. */
  readonly sequence: number
  readonly atMs: number
}
