import type {
  Acknowledgement,
  Delivery,
  Demand,
  DemandPoll,
  Handshake,
  HandshakeAnswer,
  HandshakeReply,
  Heartbeat,
  HeartbeatReply,
  Link,
  LinkedStore,
  OpenChunks,
  Poll,
  ReportAnswer,
  Reports,
  Supply,
} from '../../src/link/link.ts'
import { Demands } from '../../src/requester/demands.ts'
import { EventCount } from '../../src/waiting/event-count.ts'

/** What a side that a test plays says of its store. */
export const PLAYED_STORE: LinkedStore = { storeId: 'store-1', durable: true, sequence: 7, openings: [] }

/** A requester's end that notes what comes and answers what a test says. */
export class PlayedRequester implements Link {
  /** Every request, in the order in which they came. */
  readonly heard: unknown[] = []
  readonly wanted: Demands
  /** How many polls wait. */
  waiting = 0
  /** Thrown at the next handshake. */
  trouble: Error | undefined
  answers: Readonly<Record<string, HandshakeAnswer>> = {}
  readonly #sent = new EventCount()
  #commands: readonly Delivery[] = []

  /** A demand is given up where no node begins with it so soon. */
  constructor(beginMs = 60_000) {
    this.wanted = new Demands({ beginMs })
  }

  /** Sends a command. */
  send(delivery: Delivery): void {
    this.#commands = [...this.#commands, delivery]
    this.#sent.advance()
  }

  async handshake(request: Handshake): Promise<HandshakeReply> {
    this.heard.push(request)
    if (this.trouble !== undefined) throw this.trouble
    return await Promise.resolve({ store: PLAYED_STORE, answers: this.answers })
  }

  async poll({ afterSequence, limit, waitMs }: Poll, signal: AbortSignal): Promise<readonly Delivery[]> {
    const behind = (): readonly Delivery[] =>
      this.#commands.filter(({ sequence }) => sequence > afterSequence).slice(0, limit)
    if (behind().length === 0) {
      this.waiting += 1
      await this.#sent.wait(this.#sent.count, { maxMs: waitMs, signal })
      this.waiting -= 1
    }
    return behind()
  }

  acknowledge(request: Acknowledgement): Promise<void> {
    this.heard.push(request)
    return Promise.resolve()
  }

  report(request: Reports): Promise<readonly ReportAnswer[]> {
    this.heard.push(request)
    return Promise.resolve(request.reports.map(({ revision }) => (revision === 1 ? 'applied' : 'stale')))
  }

  heartbeat(request: Heartbeat): Promise<HeartbeatReply> {
    this.heard.push(request)
    return Promise.resolve({ sequence: PLAYED_STORE.sequence })
  }

  demands(request: DemandPoll, signal: AbortSignal): Promise<readonly Demand[]> {
    return this.wanted.wait(request, signal)
  }

  supply(request: Supply, open: OpenChunks): Promise<void> {
    return this.wanted.take(request, open)
  }
}
