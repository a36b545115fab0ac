import type {
  Acknowledgement,
  Chunk,
  DemandPoll,
  Handshake,
  Heartbeat,
  Link,
  Poll,
  Reports,
  Supply,
} from './link.ts'
import type { PlainError } from './plain-error.ts'

/** What a node asks over a port. */
export type Call =
  | { readonly name: 'handshake'; readonly request: Handshake }
  | { readonly name: 'poll'; readonly request: Poll }
  | { readonly name: 'acknowledge'; readonly request: Acknowledgement }
  | { readonly name: 'report'; readonly request: Reports }
  | { readonly name: 'heartbeat'; readonly request: Heartbeat }
  | { readonly name: 'demands'; readonly request: DemandPoll }
  | { readonly name: 'supply'; readonly request: Supply }

/** What is answered to a call. */
export type Answer = Awaited<ReturnType<Link[Call['name']]>>

/** What goes from a node to its requester. Each call has an id; what else belongs to it bears that. */
export type NodeFrame =
  | { readonly kind: 'call'; readonly id: number; readonly call: Call }
  /** The answer is waited for no longer. */
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'chunk'; readonly id: number; readonly chunk: Chunk }
  /** The last of a supply: all was sent, or no more will come. */
  | { readonly kind: 'end'; readonly id: number; readonly error: PlainError | null }

/** What comes back. */
export type RequesterFrame =
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answer }
  | { readonly kind: 'failure'; readonly id: number; readonly error: PlainError }
  /** So many more chunks may be sent. */
  | { readonly kind: 'credit'; readonly id: number; readonly chunks: number }
  /** Nobody wants the rest of a supply. */
  | { readonly kind: 'unwanted'; readonly id: number }
