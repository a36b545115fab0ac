import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'

/** A question to the server of containers on its way, or its answer. */
export interface Passing {
  readonly way: 'asked' | 'answered'
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  /** The status of the answer. */
  readonly status: number | undefined
  /**
   * What was sent along when the container was made that it is about, or the image that is to be fetched; empty where
   * it is about none.
   */
  readonly spec: string
}

/** A socket through which a node speaks to a server of containers; what passes can be held where it is. */
export class SocketGate {
  readonly path: string
  /** Tells of what passes whether it is held. */
  holds: (passing: Passing) => boolean = () => false
  readonly #to: string
  readonly #server: Server
  readonly #specs = new Map<string, string>()
  readonly #starts = new Map<string, number>()
  #held: ServerResponse[] = []

  private constructor(path: string, to: string) {
    this.path = path
    this.#to = to
    this.#server = createServer((asked, answer) => {
      void this.#pass(asked, answer).catch(() => answer.destroy())
    })
  }

  /** Opens one at a path, to the socket of a server. */
  static async open(path: string, to: string): Promise<SocketGate> {
    const gate = new SocketGate(path, to)
    gate.#server.listen(path)
    await once(gate.#server, 'listening')
    return gate
  }

  /** How often each container was started, by its name. */
  get starts(): ReadonlyMap<string, number> {
    return this.#starts
  }

  /** Tells whether a container was started whose description has something in it. */
  wasStarted(mark: string): boolean {
    return [...this.#starts.keys()].some((name) => this.#specs.get(name)?.includes(mark))
  }

  /** Breaks off what is held, and holds nothing more. */
  drop(): void {
    this.holds = () => false
    for (const answer of this.#held) answer.destroy()
    this.#held = []
  }

  /** Closes it. */
  close(): void {
    this.drop()
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #pass(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of asked as AsyncIterable<Buffer>) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    const { pathname: path, searchParams: query } = new URL(asked.url ?? '', 'http://gate')
    const { method = '' } = asked
    const container = query.get('name') ?? /^\/containers\/([^/]+)/.exec(path)?.[1] ?? ''
    if (path === '/containers/create') this.#specs.set(container, body.toString('utf8'))
    const spec = this.#specs.get(container) ?? query.get('fromImage') ?? ''
    const passing = { method, path, query, spec, status: undefined }
    if (this.#hold({ ...passing, way: 'asked' }, answer)) return
    const asking = request({
      socketPath: this.#to,
      method,
      path: asked.url,
      headers: asked.headers,
      agent: false,
    })
    answer.on('close', () => asking.destroy())
    asking.end(body)
    const [answered] = (await once(asking, 'response')) as [IncomingMessage]
    const status = answered.statusCode ?? 0
    if (path.endsWith('/start') && status === 204) {
      this.#starts.set(container, (this.#starts.get(container) ?? 0) + 1)
    }
    if (this.#hold({ ...passing, way: 'answered', status }, answer)) return
    answer.writeHead(status, answered.headers)
    answer.flushHeaders()
    await pipeline(answered, answer)
  }

  #hold(passing: Passing, answer: ServerResponse): boolean {
    if (!this.holds(passing)) return false
    this.#held.push(answer)
    return true
  }
}
