import type { Chunk, Delivery, Link, OpenChunks } from './link.ts'
import { LinkError } from './link-error.ts'
import { roughBytes } from './message-size.ts'

/** How large what is said over the link may be. */
export const LINK_LIMITS = {
  /** Commands in an answer. */
  commands: 1_000,
  /** Reports in a message. */
  reports: 1_000,
  /** How long a poll may wait. */
  waitMs: 60_000,
  /** Of a chunk: its bytes, or the characters of its text. */
  chunk: 256 * 1024,
  /** Of a message that is written as bytes. */
  messageBytes: 128 * 1024 * 1024,
  /** So long a requester may take for an answer, beyond what it was asked to wait. */
  answerMs: 30_000,
} as const

/** The requester's end as every transport offers it: refuses with `LINK_LIMIT` what is too large. */
export function withinLimits(endpoint: Link): Link {
  return {
    async handshake(request) {
      boundMessage(request)
      return await endpoint.handshake(request)
    },
    async poll(request, signal) {
      atMost(request.limit, LINK_LIMITS.commands, 'commands are asked for at a time')
      atMost(request.waitMs, LINK_LIMITS.waitMs, 'milliseconds are waited')
      return fitting(await endpoint.poll(request, signal))
    },
    acknowledge: (request) => endpoint.acknowledge(request),
    async report(request) {
      atMost(request.reports.length, LINK_LIMITS.reports, 'reports are in a message')
      boundMessage(request)
      return await endpoint.report(request)
    },
    heartbeat: (request) => endpoint.heartbeat(request),
    async demands(request, signal) {
      atMost(request.waitMs, LINK_LIMITS.waitMs, 'milliseconds are waited')
      return await endpoint.demands(request, signal)
    },
    supply: (request, open, signal) =>
      endpoint.supply(request, (unwanted) => smallChunks(open, unwanted), signal),
  }
}

function boundMessage(message: unknown): void {
  const { messageBytes } = LINK_LIMITS
  if (roughBytes(message, messageBytes) > messageBytes)
    throw new LinkError('LINK_LIMIT', `a message has at most ${messageBytes} bytes, and this one has more`)
}

/** Returns the first commands, as many as fit into a message: the next poll asks for those behind them. */
function fitting(deliveries: readonly Delivery[]): readonly Delivery[] {
  let left = LINK_LIMITS.messageBytes / 2
  const first = deliveries.findIndex((delivery) => {
    left -= roughBytes(delivery)
    return left < 0
  })
  return first < 0 ? deliveries : deliveries.slice(0, Math.max(1, first))
}

async function* smallChunks(open: OpenChunks, signal: AbortSignal): AsyncGenerator<Chunk, void, undefined> {
  for await (const chunk of open(signal)) {
    atMost(sizeOf(chunk), LINK_LIMITS.chunk, 'bytes are in a chunk')
    yield chunk
  }
}

function sizeOf(chunk: Chunk): number {
  if (chunk instanceof Uint8Array) return chunk.byteLength
  return 'text' in chunk ? chunk.text.length : 0
}

function atMost(actual: number, limit: number, what: string): void {
  if (actual > limit) throw new LinkError('LINK_LIMIT', `${actual} ${what}, and ${limit} may be`)
}
