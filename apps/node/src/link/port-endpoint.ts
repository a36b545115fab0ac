import type { MessagePort } from 'node:worker_threads'
import { EventCount } from '../waiting/event-count.ts'
import { withinLimits } from './limits.ts'
import type { Chunk, Link } from './link.ts'
import { LinkError } from './link-error.ts'
import { fromPlainError, toPlainError } from './plain-error.ts'
import type { Answer, Call, NodeFrame, RequesterFrame } from './port-frames.ts'

/** So many chunks of a supply may be on their way. */
const WINDOW = 4

/** A supply that is being taken. */
class Inflow {
  readonly arrived: Chunk[] = []
  readonly news = new EventCount()
  /** How it ended; undefined while more may come. */
  over: { readonly error: Error | null } | undefined

  end(error: Error | null): void {
    this.over ??= { error }
    this.news.advance()
  }
}

/** Serves the requester's end over a port that leads to one node. */
export class PortEndpoint {
  readonly #endpoint: Link
  readonly #port: MessagePort
  readonly #calls = new Map<number, AbortController>()
  readonly #inflows = new Map<number, Inflow>()

  constructor(endpoint: Link, port: MessagePort) {
    this.#endpoint = withinLimits(endpoint)
    this.#port = port
    port.on('message', (frame: NodeFrame) => this.#receive(frame))
    port.on('messageerror', () => port.close())
    port.on('close', () => this.#end())
  }

  /** Ends the link: the node waits no longer, and what it supplied breaks off. */
  close(): void {
    this.#port.close()
    this.#end()
  }

  #receive(frame: NodeFrame): void {
    const { id } = frame
    switch (frame.kind) {
      case 'call':
        void this.#serve(id, frame.call)
        return
      case 'cancel':
        this.#calls.get(id)?.abort()
        return
      case 'chunk': {
        const inflow = this.#inflows.get(id)
        inflow?.arrived.push(frame.chunk)
        inflow?.news.advance()
        return
      }
      case 'end':
        this.#inflows.get(id)?.end(frame.error === null ? null : fromPlainError(frame.error))
    }
  }

  async #serve(id: number, call: Call): Promise<void> {
    const canceled = new AbortController()
    this.#calls.set(id, canceled)
    try {
      const answer = await this.#carryOut(id, call, canceled.signal)
      this.#post({ kind: 'answer', id, answer })
    } catch (error) {
      this.#post({ kind: 'failure', id, error: toPlainError(error) })
    } finally {
      this.#calls.delete(id)
      this.#inflows.delete(id)
    }
  }

  async #carryOut(id: number, { name, request }: Call, signal: AbortSignal): Promise<Answer> {
    const endpoint = this.#endpoint
    switch (name) {
      case 'handshake':
        return await endpoint.handshake(request)
      case 'poll':
        return await endpoint.poll(request, signal)
      case 'acknowledge':
        return await endpoint.acknowledge(request)
      case 'report':
        return await endpoint.report(request)
      case 'heartbeat':
        return await endpoint.heartbeat(request)
      case 'demands':
        return await endpoint.demands(request, signal)
      case 'supply': {
        const inflow = new Inflow()
        this.#inflows.set(id, inflow)
        return await endpoint.supply(request, (unwanted) => this.#chunks(id, inflow, unwanted), signal)
      }
    }
  }

  async *#chunks(id: number, inflow: Inflow, signal: AbortSignal): AsyncGenerator<Chunk, void, undefined> {
    const { arrived, news } = inflow
    this.#post({ kind: 'credit', id, chunks: WINDOW })
    try {
      while (!signal.aborted) {
        const seen = news.count
        const chunk = arrived.shift()
        if (chunk !== undefined) {
          this.#post({ kind: 'credit', id, chunks: 1 })
          yield chunk
        } else if (inflow.over === undefined) {
          await news.wait(seen, { signal })
        } else {
          if (inflow.over.error !== null) throw inflow.over.error
          return
        }
      }
    } finally {
      if (inflow.over === undefined) this.#post({ kind: 'unwanted', id })
    }
  }

  #post(frame: RequesterFrame): void {
    this.#port.postMessage(frame)
  }

  #end(): void {
    for (const call of this.#calls.values()) call.abort()
    for (const inflow of this.#inflows.values())
      inflow.end(new LinkError('LINK_CLOSED', 'the link to the node is closed'))
  }
}
