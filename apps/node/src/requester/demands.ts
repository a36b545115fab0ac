import type {
  ChunkOf,
  Demand,
  DemandBody,
  DemandPoll,
  OpenChunks,
  ResultArchive,
  Supply,
} from '../link/link.ts'
import { LinkError } from '../link/link-error.ts'
import { EventCount } from '../waiting/event-count.ts'
import { asDemanded } from './supplied-chunks.ts'

/** So long a node has to begin with what was demanded of it. */
const BEGIN_MS = 10_000

/** A demand whose reader waits. */
interface Pending {
  readonly nodeId: string
  readonly demand: Demand
  readonly begun: EventCount
  readonly over: EventCount
  open: OpenChunks | undefined
}

/** What readers want of what nodes keep, until those have supplied it. */
export class Demands {
  readonly #pending = new Map<number, Pending>()
  readonly #news = new EventCount()
  readonly #beginMs: number
  #lastNumber: number

  /** Numbers rise behind `after`. */
  constructor({
    after = 0,
    beginMs = BEGIN_MS,
  }: { readonly after?: number; readonly beginMs?: number } = {}) {
    this.#lastNumber = after
    this.#beginMs = beginMs
  }

  /**
   * Yields what a node supplies; ends early and without an error when the signal aborts. Throws `LINK_SILENT` where
   * the node does not begin in time, `LINK_CLOSED` where it is lost, `LINK_GARBLED` where it supplies something else,
   * and what the node throws.
   */
  async *read<K extends DemandBody['kind']>(
    nodeId: string,
    body: Extract<DemandBody, { kind: K }>,
    signal: AbortSignal,
  ): AsyncGenerator<ChunkOf[K], void, undefined> {
    this.#lastNumber += 1
    const number = this.#lastNumber
    const demand: Demand = { ...body, number }
    const pending: Pending = {
      nodeId,
      demand,
      begun: new EventCount(),
      over: new EventCount(),
      open: undefined,
    }
    this.#pending.set(number, pending)
    this.#news.advance()
    try {
      await pending.begun.wait(0, { maxMs: this.#beginMs, signal })
      if (signal.aborted) return
      if (pending.open === undefined)
        throw new LinkError('LINK_SILENT', `node ${nodeId} does not answer to what is asked of it`)
      for await (const chunk of asDemanded(nodeId, body, pending.open(signal), signal))
        yield chunk as ChunkOf[K]
    } finally {
      this.#pending.delete(number)
      pending.over.advance()
    }
  }

  /** Returns what archive a node has of the results of an execution; `null` where it keeps none. Throws as `read`. */
  async archiveOf(nodeId: string, executionId: string, signal: AbortSignal): Promise<ResultArchive | null> {
    for await (const archive of this.read(nodeId, { kind: 'archive', executionId }, signal)) return archive
    return null
  }

  /** Waits for demands on a node. */
  async wait({ nodeId, afterNumber, waitMs }: DemandPoll, signal: AbortSignal): Promise<readonly Demand[]> {
    const endMs = performance.now() + waitMs
    for (;;) {
      const seen = this.#news.count
      const demands = [...this.#pending.values()]
        .filter((pending) => pending.nodeId === nodeId && pending.demand.number > afterNumber)
        .map(({ demand }) => demand)
      const maxMs = endMs - performance.now()
      if (demands.length > 0 || maxMs <= 0 || signal.aborted) return demands
      await this.#news.wait(seen, { maxMs, signal })
    }
  }

  /** Hands what a node supplies to the reader who waits for it. Resolves when that has read what it wants. */
  async take({ nodeId, number }: Supply, open: OpenChunks): Promise<void> {
    const pending = this.#pending.get(number)
    if (pending?.nodeId !== nodeId || pending.open !== undefined) return
    pending.open = open
    pending.begun.advance()
    await pending.over.wait(0)
  }
}
