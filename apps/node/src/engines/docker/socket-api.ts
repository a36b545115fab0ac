import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import type { Readable } from 'node:stream'

/** What an answer may hold that is read as a whole; nothing that is asked for comes near. */
export const LONGEST_ANSWER_BYTES: number = 16 * 1024 * 1024
/** No question but those that wait takes so long; a server that hangs is one that does not answer. */
const PATIENCE_MS = 30_000
/** The statuses with which nothing was done; 304 says that it was so already. */
const FIRST_FAILURE = 300
const UNCHANGED = 304
const MOST_AT_ONCE = 16
/** What is kept of a message, of its beginning and of its end, where the cause stands. */
const MESSAGE_HEAD = 1_000
const MESSAGE_TAIL = 500

/** A question to the socket. */
export interface Ask {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  /** Sent as JSON, or as it is where it is bytes. */
  readonly body?: object | Buffer
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** True for an answer that may take as long as it likes to begin. */
  readonly waits?: boolean
  /** True for an answer that may say nothing for as long as it likes once it has begun. */
  readonly pauses?: boolean
}

/**
 * What the socket's server answered, or that it did not: `status` is 0 where nobody answered, so that it is not known
 * whether what was asked for was done.
 */
export class SocketError extends Error {
  override readonly name: string = 'SocketError'
  readonly status: number

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(shortText(message), options)
    this.status = status
  }
}

/** Cuts the middle out of what a server says: a registry may have it say as much as it likes, and records have it. */
export function shortText(text: string): string {
  if (text.length <= MESSAGE_HEAD + MESSAGE_TAIL) return text
  return `${text.slice(0, MESSAGE_HEAD)} … ${text.slice(-MESSAGE_TAIL)}`
}

/** Tells whether nobody answered, so that it may help to ask again. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof Error && error.name === 'SocketError' && (error as SocketError).status === 0
}

/** Tells whether the server answered with a status. */
export function hasStatus(error: unknown, ...statuses: readonly number[]): boolean {
  if (!(error instanceof Error) || error.name !== 'SocketError') return false
  return statuses.includes((error as SocketError).status)
}

/**
 * The Docker Engine API on a Unix socket, which Podman speaks too. The client libraries that there are bring gRPC, SSH
 * and native builds along for the dozen questions that are asked here.
 */
export class SocketApi {
  readonly socketPath: string
  /** A server that is asked for much at once answers nothing in time. */
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 4, maxSockets: MOST_AT_ONCE })
  /** For what may wait, of which there is as much as there are containers. */
  readonly #waiting = new Agent({ keepAlive: true, maxFreeSockets: 4 })
  readonly #patienceMs: number

  /** A server that leaves a question, or the rest of an answer, open for `patienceMs` does not answer. */
  constructor(socketPath: string, patienceMs: number = PATIENCE_MS) {
    this.socketPath = socketPath
    this.#patienceMs = patienceMs
  }

  /** Asks, and reads the answer as JSON; undefined where it is empty. Throws a {@link SocketError}. */
  async ask<Answer>(what: Ask): Promise<Answer> {
    const text = (await this.#readAll(await this.open(what))).toString('utf8').trim()
    if (text === '') return undefined as Answer
    try {
      return JSON.parse(text) as Answer
    } catch (error) {
      throw new SocketError(500, `${this.socketPath} does not answer as the Docker Engine API does`, {
        cause: error,
      })
    }
  }

  /** Asks, and answers with the stream of the answer, whose end is the caller's. Throws a {@link SocketError}. */
  async open({
    method = 'GET',
    path,
    query = {},
    body,
    headers = {},
    signal,
    waits,
    pauses,
  }: Ask): Promise<IncomingMessage> {
    const parameters = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, value)
    const search = parameters.size === 0 ? '' : `?${parameters}`
    const bytes = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body))
    const type = Buffer.isBuffer(body) ? 'application/x-tar' : 'application/json'
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const asking = request(
        {
          socketPath: this.socketPath,
          agent: waits === true ? this.#waiting : this.#agent,
          method,
          path: `${path}${search}`,
          headers: {
            host: 'docker',
            ...headers,
            ...(bytes === undefined ? {} : { 'content-type': type, 'content-length': bytes.length }),
          },
          ...(signal === undefined ? {} : { signal }),
        },
        resolve,
      )
      // By the clock, since a server may send bits of a beginning for ever; not while the question waits for its turn.
      if (waits !== true) asking.once('socket', () => this.#limit(asking, 'response'))
      asking.on('error', (error) => reject(signal?.aborted === true ? error : this.#unanswered(error)))
      asking.end(bytes)
    })
    const status = response.statusCode ?? 0
    if (status < FIRST_FAILURE || status === UNCHANGED) {
      if (pauses !== true) this.#breakOffSilent(response)
      return response
    }
    throw new SocketError(status, messageOf(await this.#readAll(response)) || `status ${status}`)
  }

  /** Closes the connections that wait for further questions. */
  close(): void {
    this.#agent.destroy()
    this.#waiting.destroy()
  }

  #unanswered(cause: Error): SocketError {
    return new SocketError(0, `${this.socketPath} does not answer: ${cause.message}`, { cause })
  }

  /** Breaks off what is not there in time; `event` says that it is. */
  #limit(what: ClientRequest | IncomingMessage, event: 'response' | 'close'): void {
    const late = new Error(`no answer within ${this.#patienceMs / 1000} seconds`)
    const timer = setTimeout(() => what.destroy(late), this.#patienceMs)
    for (const end of [event, 'close']) what.once(end, () => clearTimeout(timer))
  }

  /** Breaks off an answer of which nothing comes, while somebody waits for it. */
  #breakOffSilent(answer: IncomingMessage): void {
    const { socket } = answer
    const onSilence = (): void => {
      if (answer.readableLength > 0) return
      answer.destroy(this.#unanswered(new Error(`nothing more came for ${this.#patienceMs / 1000} seconds`)))
    }
    socket.setTimeout(this.#patienceMs, onSilence)
    // The connection is used for further questions.
    answer.once('close', () => socket.setTimeout(0, onSilence))
  }

  async #readAll(answer: IncomingMessage): Promise<Buffer> {
    this.#limit(answer, 'close')
    return await readAll(answer)
  }
}

async function readAll(answer: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > LONGEST_ANSWER_BYTES) throw new SocketError(500, 'the answer is too long')
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof SocketError) throw error
    throw new SocketError(0, 'the answer broke off', { cause: error })
  }
  return Buffer.concat(chunks)
}

function messageOf(body: Buffer): string {
  const text = body.toString('utf8').trim()
  try {
    const { message } = JSON.parse(text) as { readonly message?: unknown }
    return typeof message === 'string' ? message : text
  } catch {
    return text
  }
}

/** What an error says, in one line. */
export function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').trim()
}
