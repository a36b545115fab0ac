import type {
  Acknowledgement,
  Delivery,
  Demand,
  DemandPoll,
  Handshake,
  HandshakeReply,
  Heartbeat,
  HeartbeatReply,
  Link,
  OpenChunks,
  Poll,
  ReportAnswer,
  Reports,
  Supply,
} from '../link/link.ts'
import { isLinkError } from '../link/link-error.ts'

/**
 * The link of a node that works. A requester that has begun anew knows no node; where it says so, hands are shaken
 * again, once for all that waits, and what was asked is asked again.
 */
export class StandingLink implements Link {
  readonly #link: Link
  readonly #greet: () => Promise<void>
  #greeting: Promise<void> | undefined

  /** `greet` shakes hands and does what the answer says. */
  constructor(link: Link, greet: () => Promise<void>) {
    this.#link = link
    this.#greet = greet
  }

  handshake(request: Handshake): Promise<HandshakeReply> {
    return this.#link.handshake(request)
  }

  poll(request: Poll, signal: AbortSignal): Promise<readonly Delivery[]> {
    return this.#known(() => this.#link.poll(request, signal))
  }

  acknowledge(request: Acknowledgement): Promise<void> {
    return this.#known(() => this.#link.acknowledge(request))
  }

  report(request: Reports): Promise<readonly ReportAnswer[]> {
    return this.#known(() => this.#link.report(request))
  }

  heartbeat(request: Heartbeat): Promise<HeartbeatReply> {
    return this.#known(() => this.#link.heartbeat(request))
  }

  demands(request: DemandPoll, signal: AbortSignal): Promise<readonly Demand[]> {
    return this.#link.demands(request, signal)
  }

  supply(request: Supply, open: OpenChunks, signal: AbortSignal): Promise<void> {
    return this.#link.supply(request, open, signal)
  }

  async #known<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      if (!isLinkError(error, 'LINK_UNKNOWN')) throw error
    }
    this.#greeting ??= this.#greet().finally(() => {
      this.#greeting = undefined
    })
    await this.#greeting
    return await ask()
  }
}
