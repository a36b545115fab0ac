import type { MessagePort } from 'node:worker_threads'
import { EventCount } from '../waiting/event-count.ts'
import { LINK_LIMITS } from './limits.ts'
import type {
  Acknowledgement,
  Chunk,
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
} from './link.ts'
import { LinkError } from './link-error.ts'
import { fromPlainError, toPlainError } from './plain-error.ts'
import type { Answer, Call, NodeFrame, RequesterFrame } from './port-frames.ts'

interface Waiting {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

/** A supply that is being sent. */
class Outflow {
  readonly unwanted = new AbortController()
  readonly granted = new EventCount()
  credit = 0
  /** Somebody reads it. */
  wanted = false
}

/** The node's end of a port whose other end a {@link PortEndpoint} serves. */
export class PortLink implements Link {
  readonly #port: MessagePort
  readonly #answerMs: number
  readonly #calls = new Map<number, Waiting>()
  readonly #outflows = new Map<number, Outflow>()
  #lastId = 0
  #closed = false

  /** The requester may take so long for an answer beyond what it was asked to wait. */
  constructor(port: MessagePort, answerMs: number = LINK_LIMITS.answerMs) {
    this.#port = port
    this.#answerMs = answerMs
    port.on('message', (frame: RequesterFrame) => this.#receive(frame))
    port.on('messageerror', () => port.close())
    port.on('close', () => this.#end())
  }

  async handshake(request: Handshake): Promise<HandshakeReply> {
    return (await this.#call({ name: 'handshake', request })) as HandshakeReply
  }

  async poll(request: Poll, signal: AbortSignal): Promise<readonly Delivery[]> {
    return (await this.#wait({ name: 'poll', request }, signal)) as readonly Delivery[]
  }

  async acknowledge(request: Acknowledgement): Promise<void> {
    await this.#call({ name: 'acknowledge', request })
  }

  async report(request: Reports): Promise<readonly ReportAnswer[]> {
    return (await this.#call({ name: 'report', request })) as readonly ReportAnswer[]
  }

  async heartbeat(request: Heartbeat): Promise<HeartbeatReply> {
    return (await this.#call({ name: 'heartbeat', request })) as HeartbeatReply
  }

  async demands(request: DemandPoll, signal: AbortSignal): Promise<readonly Demand[]> {
    return (await this.#wait({ name: 'demands', request }, signal)) as readonly Demand[]
  }

  async supply(request: Supply, open: OpenChunks, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const id = this.#nextId()
    const outflow = new Outflow()
    this.#outflows.set(id, outflow)
    const asked = this.#ask(id, { name: 'supply', request })
    const sent = this.#send(id, outflow, open)
    const breakOff = (): void => {
      this.#post({
        kind: 'end',
        id,
        error: toPlainError(new LinkError('LINK_CLOSED', 'the node has stopped')),
      })
      outflow.unwanted.abort()
    }
    signal.addEventListener('abort', breakOff, { once: true })
    // Until the requester says whether somebody waits for it.
    const timer = setTimeout(() => {
      if (!outflow.wanted) breakOff()
    }, this.#answerMs)
    try {
      // Whoever reads it may take long over the last chunks.
      await Promise.race([asked, sent])
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', breakOff)
      outflow.unwanted.abort()
      await sent
      this.#outflows.delete(id)
      this.#calls.delete(id)
      asked.catch(() => undefined)
    }
  }

  /** Ends the link; what still waits is refused. */
  close(): void {
    this.#port.close()
    this.#end()
  }

  #nextId(): number {
    this.#lastId += 1
    return this.#lastId
  }

  async #call(call: Call): Promise<Answer> {
    const id = this.#nextId()
    return await this.#within(id, this.#answerMs, this.#ask(id, call))
  }

  async #wait(call: Extract<Call, { name: 'poll' | 'demands' }>, signal: AbortSignal): Promise<Answer> {
    const id = this.#nextId()
    if (signal.aborted) return []
    // What an answer that comes too late holds comes again: nobody has confirmed it.
    const cancel = (): void => {
      const waiting = this.#calls.get(id)
      this.#calls.delete(id)
      this.#post({ kind: 'cancel', id })
      waiting?.resolve([])
    }
    signal.addEventListener('abort', cancel, { once: true })
    try {
      return await this.#within(id, call.request.waitMs + this.#answerMs, this.#ask(id, call))
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }

  /** What an answer that comes later holds comes again: nobody has confirmed it. */
  async #within(id: number, answerMs: number, answer: Promise<Answer>): Promise<Answer> {
    const timer = setTimeout(() => {
      const waiting = this.#take(id)
      if (waiting === undefined) return
      this.#post({ kind: 'cancel', id })
      waiting.reject(new LinkError('LINK_SILENT', 'the requester does not answer'))
    }, answerMs)
    try {
      return await answer
    } finally {
      clearTimeout(timer)
    }
  }

  #ask(id: number, call: Call): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(closedError())
        return
      }
      // First, since what cannot be copied is refused here.
      this.#post({ kind: 'call', id, call })
      this.#calls.set(id, { resolve, reject })
    })
  }

  /** Sends what was opened as it may be sent, and how it ended. Never rejects. */
  async #send(id: number, outflow: Outflow, open: OpenChunks): Promise<void> {
    const { signal } = outflow.unwanted
    try {
      await this.#credit(outflow)
      if (signal.aborted) return
      for await (const chunk of open(signal)) {
        if (signal.aborted) return
        this.#post({ kind: 'chunk', id, chunk: tight(chunk) })
        outflow.credit -= 1
        await this.#credit(outflow)
      }
      if (!signal.aborted) this.#post({ kind: 'end', id, error: null })
    } catch (error) {
      if (!signal.aborted) this.#post({ kind: 'end', id, error: toPlainError(error) })
    }
  }

  async #credit(outflow: Outflow): Promise<void> {
    const {
      unwanted: { signal },
      granted,
    } = outflow
    while (outflow.credit <= 0 && !signal.aborted) await granted.wait(granted.count, { signal })
  }

  #receive(frame: RequesterFrame): void {
    const { id } = frame
    switch (frame.kind) {
      case 'answer':
        this.#take(id)?.resolve(frame.answer)
        return
      case 'failure':
        this.#take(id)?.reject(fromPlainError(frame.error))
        return
      case 'credit': {
        const outflow = this.#outflows.get(id)
        if (outflow === undefined) return
        outflow.credit += frame.chunks
        outflow.wanted = true
        outflow.granted.advance()
        return
      }
      case 'unwanted':
        this.#outflows.get(id)?.unwanted.abort()
    }
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#calls.get(id)
    this.#calls.delete(id)
    return waiting
  }

  #post(frame: NodeFrame): void {
    this.#port.postMessage(frame)
  }

  #end(): void {
    this.#closed = true
    for (const { reject } of this.#calls.values()) reject(closedError())
    this.#calls.clear()
  }
}

function closedError(): LinkError {
  return new LinkError('LINK_CLOSED', 'the link to the requester is closed')
}

/** A view of a larger buffer would be copied with all that is around it. */
function tight(chunk: Chunk): Chunk {
  if (!(chunk instanceof Uint8Array) || chunk.byteLength === chunk.buffer.byteLength) return chunk
  return new Uint8Array(chunk)
}
