import type { Chunk, Link, OpenChunks } from './link.ts'
import { LinkError } from './link-error.ts'

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
} as const

/** The requester's end as every transport offers it: refuses with `LINK_LIMIT` what is too large. */
export function withinLimits(endpoint: Link): Link {
  return {
    handshake: (request) => endpoint.handshake(request),
    async poll(request, signal) {
      atMost(request.limit, LINK_LIMITS.commands, 'commands are asked for at a time')
      atMost(request.waitMs, LINK_LIMITS.waitMs, 'milliseconds are waited')
      return await endpoint.poll(request, signal)
    },
    acknowledge: (request) => endpoint.acknowledge(request),
    async report(request) {
      atMost(request.reports.length, LINK_LIMITS.reports, 'reports are in a message')
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
