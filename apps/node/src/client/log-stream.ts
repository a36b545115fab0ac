import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import type { WireLogMessage } from '@saltcod/bacalhau-records'
import { Failure } from '@saltcod/cli-kit'
import { WebSocket } from 'ws'
import { EXIT } from '../exit-code.ts'
import { type NodeAddress, proofFor } from './node-address.ts'
import { refusal } from './refusal.ts'
import { unreachable } from './unreachable.ts'

/** So many messages may wait; a node fills each with what it has read at once. */
const MOST_ARRIVED = 50

/** Which part of a log is wanted. */
export interface LogRequest {
  /** To the end of the execution. */
  readonly follow: boolean
  /** Only what is written from now on. */
  readonly tail: boolean
  readonly executionId?: string | undefined
  /** Behind this place, the `next` of a part; an empty text for the beginning. Absent: no part has a `next`. */
  readonly from?: string | undefined
  /** Where the job is looked up by its name. */
  readonly namespace?: string | undefined
  /** Absent: the newest execution of any version of the job. */
  readonly version?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** A part of what a job wrote: one line or several. */
export interface ReceivedPart {
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
  /** The place behind it, where those were asked for. */
  readonly next?: string | undefined
  readonly executionId?: string | undefined
}

/** How long a node may take to begin. */
const HANDSHAKE_MS = 60_000

/** How a websocket is closed at the end of a log; every other way cuts it off. */
const WHOLE = 1000
const GIVEN_UP = 1013
const IS_IT_A_NODE = 'is it a saltcod node that listens there?'

/**
 * Yields a job's log from a node over a websocket. Throws a `Failure` with what the node says, or where it cannot be
 * reached or is lost before the end.
 */
export async function* readLog(
  address: NodeAddress,
  id: string,
  request: LogRequest,
): AsyncIterable<ReceivedPart> {
  const { base, secure } = address
  const { follow, tail, executionId, from, namespace, version, signal } = request
  const query = new URLSearchParams({ follow: String(follow), tail: String(tail) })
  if (executionId !== undefined) query.set('execution_id', executionId)
  if (from !== undefined) query.set('from', from)
  if (namespace !== undefined) query.set('namespace', namespace)
  if (version !== undefined) query.set('job_version', String(version))
  const url = `${base.replace(/^http/, 'ws')}/api/v1/orchestrator/jobs/${encodeURIComponent(id)}/logs?${query}`
  const socket = new WebSocket(url, {
    ...secure,
    headers: proofFor(address),
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_MS,
  })
  const arrived: (WireLogMessage | Failure | null)[] = []
  let wake: () => void = () => undefined
  const arrive = (item: WireLogMessage | Failure | null): void => {
    arrived.push(item)
    if (arrived.length > MOST_ARRIVED) socket.pause()
    wake()
  }
  socket.on('message', (data: Buffer) => arrive(messageOf(base, data)))
  socket.on('unexpected-response', (_request, response) => {
    void refusalOf(base, response).then(arrive)
  })
  socket.on('error', (error) => arrive(unreachable(base, error, HANDSHAKE_MS)))
  socket.on('close', (code: number) => {
    const isWhole = code === WHOLE || code === GIVEN_UP || signal?.aborted === true
    arrive(
      isWhole ? null : new Failure(EXIT.unreachable, `the node at ${base} was lost while its log was read`),
    )
  })
  const abort = (): void => socket.terminate()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    for (;;) {
      const item = arrived.shift()
      if (item === undefined) {
        socket.resume()
        await new Promise<void>((resolve) => {
          wake = resolve
        })
        continue
      }
      if (item === null) return
      if (item instanceof Error) throw item
      if (item.error !== undefined) throw new Failure(EXIT.failed, item.error, { hint: item.hint })
      if (item.value !== undefined) {
        const { Type, Line, Next, ExecutionID } = item.value
        yield {
          stream: Type === 2 ? 'stderr' : 'stdout',
          text: Line,
          next: Next,
          executionId: ExecutionID,
        }
      }
    }
  } finally {
    signal?.removeEventListener('abort', abort)
    socket.terminate()
  }
}

/** Reads why no log is given. */
async function refusalOf(base: string, response: IncomingMessage): Promise<Failure> {
  const status = response.statusCode ?? 0
  const nothing = new Failure(EXIT.failed, `${base} answered with status ${status} and no log`, {
    hint: IS_IT_A_NODE,
  })
  try {
    return refusal(JSON.parse(await text(response))) ?? nothing
  } catch {
    return nothing
  }
}

/** What is no message is from a server that is no node, such as a proxy in front of one. */
function messageOf(base: string, data: Buffer): WireLogMessage | Failure {
  try {
    return JSON.parse(data.toString()) as WireLogMessage
  } catch {
    return new Failure(EXIT.failed, `${base} answered with something that is no log`, { hint: IS_IT_A_NODE })
  }
}
