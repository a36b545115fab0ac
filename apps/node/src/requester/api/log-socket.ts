import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { looseField, type WireLogMessage } from '@saltcod/bacalhau-records'
import type { Execution, Page, PageCursor } from '@saltcod/store-core'
import { EXECUTION_MACHINE } from '@saltcod/store-core'
import type { WebSocket } from 'ws'
import { WebSocketServer } from 'ws'
import type { Gate } from '../../access/gate.ts'
import { accessOf } from '../../access/route-access.ts'
import type { LogPart, LogPosition } from '../../link/link.ts'
import { isLinkError } from '../../link/link-error.ts'
import { JoinedSignal } from '../../waiting/joined-signal.ts'
import { pause } from '../../waiting/pause.ts'
import { ApiError } from '../../wire/api-error.ts'
import { type LogCursor, readLogCursor, writeLogCursor } from '../../wire/log-cursor.ts'
import type { NodeView } from '../../wire/node-output.ts'
import { allItems } from '../all-items.ts'
import type { RequesterContext } from '../context.ts'
import type { ApiContext } from './api-context.ts'
import { findJob } from './api-context.ts'
import { endWith } from './client-error.ts'
import type { Connections } from './connections.ts'
import { foreignOrigin } from './origin-guard.ts'
import { Query } from './query.ts'
import { toApiError } from './store-error.ts'

const PATH = /^\/api\/v1\/orchestrator\/jobs\/([^/?]+)\/logs(?:\?|$)/
const NORMAL_CLOSE = 1000
/** The log goes on, and this node does not. */
const GOING_AWAY = 1001
const TRY_AGAIN_LATER = 1013
/** So much may wait for a client before it is no longer answered that it is alive. */
const MOST_UNSENT_BYTES = 1024 * 1024
/** So long a node has to shake hands before its logs are given up, and so often is looked whether it has. */
const FIRST_CONTACT_MS = 10_000
const LOOK_MS = 50
const NOTHING_READ: LogPosition = { attempt: 0, stdout: 0, stderr: 0 }
/** Among so many executions the log to be read is looked for. */
const NEWEST = 100
/** Of these its node has not said anything. */
const NOT_TAKEN: ReadonlySet<string> = new Set(['New', 'AskForBid'])
const LOOK_AGAIN_MS = 5_000
const DISCARDED = new Set(['AskForBidRejected', 'BidRejected'])

/** Serves logs over websockets. Errors are told in a message, because clients show nothing of a refused handshake. */
export function serveLogs(
  server: Server,
  context: ApiContext,
  { connections, gate }: { readonly connections: Connections; readonly gate: Gate | null },
): void {
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: 1024,
    autoPong: false,
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    connections.upgrade(socket)
    const id = PATH.exec(request.url ?? '')?.[1]
    if (id === undefined || foreignOrigin(request) !== null) {
      // Destroyed when that is sent: a client that keeps its side open must not keep the socket.
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () =>
        socket.destroy(),
      )
      return
    }
    // Refused before it costs anything, although clients of Bacalhau show no reason then, as with Bacalhau itself.
    if (!isLetIn(gate, request, socket)) return
    sockets.handleUpgrade(request, socket, head, (client) => {
      // What broke a websocket closes it.
      client.on('error', () => undefined)
      client.on('ping', (data: Buffer) => {
        if (client.bufferedAmount > MOST_UNSENT_BYTES) client.terminate()
        else client.pong(data)
      })
      const dismiss = (): void => connections.dismiss(socket)
      const excess = connections.excessOf(socket)
      if (excess !== null || sockets.clients.size > connections.limits.logStreams) {
        refuse(client, excess)
        dismiss()
      } else void stream(context, client, id, new Query({ url: request.url ?? '' })).then(dismiss)
    })
  })
  context.requester.stopping.addEventListener('abort', () => {
    for (const client of sockets.clients) client.close(GOING_AWAY)
    sockets.close()
  })
}

/** Answers who may not read; what goes on for a token is cut off when that ends. */
function isLetIn(gate: Gate | null, request: IncomingMessage, socket: Duplex): boolean {
  if (gate === null) return true
  try {
    const caller = gate.admit(request, accessOf('GET', '/api/v1/orchestrator/jobs/:id/logs'))
    if (caller !== null) socket.once('close', gate.hold(caller, socket))
    return true
  } catch (error) {
    endWith(socket, toApiError(error))
    return false
  }
}

function refuse(client: WebSocket, excess: string | null): void {
  const error =
    excess === null
      ? 'this node lets no more logs be read at a time; try again later'
      : `this node takes no more of one peer: ${excess}; try again later`
  const message: WireLogMessage = { error, value: { Type: 0, Line: '' } }
  client.send(JSON.stringify(message))
  client.close(TRY_AGAIN_LATER)
}

async function stream(context: ApiContext, client: WebSocket, rawId: string, query: Query): Promise<void> {
  const closed = new AbortController()
  client.on('close', () => closed.abort())
  client.on('error', () => closed.abort())
  const until = new JoinedSignal(closed.signal, context.requester.stopping)
  const { signal } = until
  let isLost = false
  try {
    const job = await findJob(context, decodeURIComponent(rawId), query)
    const resumes = query.has('from')
    const text = query.text('from')
    const from = text === null ? null : readLogCursor(text)
    const version = (query.whole('job_version') ?? 0) === 0 ? {} : { jobVersion: job.version }
    const wanted = from?.executionId ?? query.text('execution_id')
    const execution = await chooseExecution(context, { jobId: job.id, ...version }, wanted)
    const messageOf = (type: number, line: string, position: LogPosition): WireLogMessage => {
      const Next = writeLogCursor({ executionId: execution.id, ...position })
      // Clients print a line as it is, so one may hold several.
      return { value: { Type: type, Line: line, ...(resumes ? { Next, ExecutionID: execution.id } : {}) } }
    }
    // Whoever can go on must know where, even if nothing comes before the connection is lost.
    if (resumes) await send(client, messageOf(1, '', from ?? NOTHING_READ), signal)
    for await (const part of partsOf(context, execution, query, from, signal)) {
      await send(client, messageOf(part.stream === 'stdout' ? 1 : 2, part.text, part.position), signal)
      // The rest of a log is read for nobody.
      if (signal.aborted) break
    }
  } catch (error) {
    isLost = isLinkError(error, 'LINK_CLOSED')
    if (!isLost && !signal.aborted) await send(client, refusal(error), signal)
  }
  client.close(isLost || context.requester.stopping.aborted ? GOING_AWAY : NORMAL_CLOSE)
  until.release()
}

function refusal(error: unknown): WireLogMessage {
  const { message, hint } =
    error instanceof URIError ? { message: 'the job id cannot be read', hint: undefined } : toApiError(error)
  return { error: message, ...(hint === undefined ? {} : { hint }), value: { Type: 0, Line: '' } }
}

/** Resolves when the client has taken the message, so that no more than one of them waits in memory. */
async function send(client: WebSocket, message: WireLogMessage, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => client.send(JSON.stringify(message), () => resolve()))
}

/** Chooses the execution that was asked for, or else the one that changed last of the newest that were not refused. */
async function chooseExecution(
  { requester: { store } }: ApiContext,
  which: { readonly jobId: string; readonly jobVersion?: number },
  wanted: string | null,
): Promise<Execution> {
  const { jobId } = which
  if (wanted !== null) {
    const exact = await store.getExecution(wanted)
    if (exact?.jobId === jobId) return exact
    for await (const execution of allItems((cursor) => store.listExecutions({ jobId, limit: 1000, cursor })))
      if (execution.id.startsWith(wanted)) return execution
    throw new ApiError('NotFound', `unable to find execution ${wanted} in job ${jobId}`, {
      hint: 'list the executions of the job to see what is there',
    })
  }
  let cursor: PageCursor | null = null
  do {
    const page: Page<Execution> = await store.listExecutions({
      ...which,
      limit: NEWEST,
      reverse: true,
      cursor,
    })
    const [last] = page.items
      .filter(({ state }) => !DISCARDED.has(state))
      .toSorted((a, b) => b.modifiedAtMs - a.modifiedAtMs)
    if (last !== undefined) return last
    cursor = page.next
  } while (cursor !== null)
  throw new ApiError('NotFound', `no executions found for job ${jobId}`, {
    hint: 'it has not begun yet, or its executions were removed; its description says which',
  })
}

async function* partsOf(
  { requester }: ApiContext,
  chosen: Execution,
  query: Query,
  from: LogCursor | null,
  signal: AbortSignal,
): AsyncIterable<LogPart> {
  const execution = await takenOn(requester, chosen, query.flag('follow'), signal)
  if (signal.aborted || NOT_TAKEN.has(execution.state)) return
  const isTerminal = EXECUTION_MACHINE.terminal.has(execution.state)
  const node = await nodeOf(requester, execution.nodeId, isTerminal ? 0 : FIRST_CONTACT_MS, signal)
  let read: LogPosition | null = from
  if (node?.connected === true) {
    try {
      const demand = {
        kind: 'log',
        executionId: execution.id,
        follow: query.flag('follow'),
        // Of what is not followed nothing would be left.
        tail: query.flag('tail') && query.flag('follow'),
        from: from === null ? null : positionOf(from),
      } as const
      for await (const part of requester.demands.read(execution.nodeId, demand, signal)) {
        read = part.position
        yield part
      }
      return
    } catch (error) {
      // The node may have forgotten what has ended; its head is kept here.
      if (!isTerminal) throw error
    }
  } else if (!isTerminal) {
    throw new ApiError('NotFound', `node ${execution.nodeId}, which has the log, is not connected`, {
      hint: 'read it again when the node is back',
    })
  }
  yield* keptParts(execution, read ?? NOTHING_READ)
}

/** Its node may not know of it yet: that says nothing of it and writes nothing. Whoever follows it waits for that. */
async function takenOn(
  { store, changed }: RequesterContext,
  chosen: Execution,
  follow: boolean,
  signal: AbortSignal,
): Promise<Execution> {
  let execution = chosen
  while (follow && NOT_TAKEN.has(execution.state) && !signal.aborted) {
    const seen = changed.count
    execution = (await store.getExecution(chosen.id)) ?? execution
    if (NOT_TAKEN.has(execution.state)) await changed.wait(seen, { maxMs: LOOK_AGAIN_MS, signal })
  }
  return execution
}

function positionOf({ attempt, stdout, stderr }: LogPosition): LogPosition {
  return { attempt, stdout, stderr }
}

/**
 * Returns a node; one that has not shaken hands since the start, as where the requester has just begun itself, is
 * waited for.
 */
async function nodeOf(
  { nodes }: RequesterContext,
  nodeId: string,
  mostMs: number,
  signal: AbortSignal,
): Promise<NodeView | null> {
  const untilMs = performance.now() + mostMs
  for (;;) {
    const node = nodes.get(nodeId)
    // One that is remembered alone has not come since our own start.
    const hasCome = node !== null && node.connectedAtMs !== null
    if (hasCome || performance.now() >= untilMs || signal.aborted) return node
    await pause(LOOK_MS, signal)
  }
}

/** What the requester keeps of a log, behind what was read of it. */
function* keptParts(execution: Execution, from: LogPosition): Iterable<LogPart> {
  let { attempt, ...position } = from
  for (const stream of ['stdout', 'stderr'] as const) {
    const text = looseField(execution.runOutput, stream)
    const bytes = Buffer.from(typeof text === 'string' ? text : '')
    const rest = bytes.subarray(from[stream])
    if (rest.length === 0) continue
    position = { ...position, [stream]: bytes.length }
    yield { stream, text: rest.toString(), position: { attempt, ...position } }
  }
}
