import {
  OWN_CLIENT_VERSION,
  VERSION_HEADER,
  type WireBuildVersion,
  type WireExecution,
  type WireGetJobAnswer,
  type WireHistory,
  type WireJob,
  type WireNodeState,
  type WirePage,
  type WirePutJobAnswer,
  type WireRerunAnswer,
  type WireSpecConfig,
} from '@saltcod/bacalhau-records'
import { Failure } from '@saltcod/cli-kit'
import type { Role } from '../access/role.ts'
import type { ListedToken, NewTokenAnswer } from '../access/token-answer.ts'
import type { ArchivedItem, ArchivedJobAnswer } from '../archive/archive-routes.ts'
import type { CompactionStatus } from '../compaction/compaction-report.ts'
import { EXIT } from '../exit-code.ts'
import type { GcReport } from '../retention/gc-report.ts'
import type { HoldAnswer } from '../retention/gc-routes.ts'
import type { WireCertificate } from '../wire/certificate-output.ts'
import { WHY_PATH, type WhyAnswer } from '../wire/why-answer.ts'
import type { LogRequest, ReceivedPart } from './log-stream.ts'
import { readLog } from './log-stream.ts'
import { fetchFrom, type NodeAddress, type NodeRequest } from './node-address.ts'
import { isUnproven, refusal } from './refusal.ts'
import { openResults, type ReceivedResults, type ResultStream } from './result-stream.ts'
import { unreachable } from './unreachable.ts'

/** Parameters behind the question mark; what is `undefined` is left out. */
export type QueryParameters = Readonly<
  Record<string, string | number | boolean | readonly string[] | undefined>
>

/** How a job is submitted. */
export interface SubmitOptions {
  /** Submitting again with the same token gives the same job. */
  readonly idempotencyToken?: string | undefined
  /** A new version is wanted even where nothing differs. */
  readonly force?: boolean | undefined
}

/** What an operator decides of a node. */
export type NodeAction = { readonly Message?: string } & (
  | { readonly Action: 'approve' | 'reject' | 'delete' | 'resume' }
  | { readonly Action: 'drain'; readonly TimeoutMs?: number | undefined }
  | { readonly Action: 'label'; readonly Labels: Readonly<Record<string, string | null>> }
)

/** What a node is asked, and how long its answer may take. */
type Request = readonly [
  method: string,
  path: string,
  query: QueryParameters,
  body?: unknown,
  answerMs?: number | undefined,
]

/** How long an answer may take. */
const ANSWER_MS = 60_000
const GC_ANSWER_MS = 290_000

const JOBS = '/api/v1/orchestrator/jobs'
const NODES = '/api/v1/orchestrator/nodes'
const ARCHIVE = '/api/v1/saltcod/archive'
const COMPACT = '/api/v1/saltcod/compact'
const TOKENS = '/api/v1/saltcod/tokens'

/** Speaks to a node over HTTP. Every method throws a `Failure` where the node refuses or cannot be reached. */
export class ApiClient {
  #address: NodeAddress
  readonly #ask: (refusal: unknown) => Promise<string | undefined>
  #asked: Promise<string | undefined> | undefined

  /**
   * `ask` gives what to show to a node that asks for it, once; `undefined` where there is nothing. It may throw what
   * says more than the refusal of the node.
   */
  constructor(
    address: NodeAddress,
    ask: (refusal: unknown) => Promise<string | undefined> = async () => undefined,
  ) {
    this.#address = address
    this.#ask = ask
  }

  /** Submits a job as it was written. */
  submitJob(job: unknown, options: SubmitOptions = {}): Promise<WirePutJobAnswer> {
    const { idempotencyToken: IdempotencyToken, force: Force } = options
    return this.#call('PUT', JOBS, {}, { Job: job, IdempotencyToken, Force })
  }

  /** Runs a job again, as its newest or another version of it was written. */
  rerunJob(id: string, version: number | undefined, query: QueryParameters): Promise<WireRerunAnswer> {
    return this.#call('PUT', `${jobPath(id)}/rerun`, query, { JobVersion: version })
  }

  /** Lists jobs. */
  listJobs(query: QueryParameters): Promise<WirePage<WireJob>> {
    return this.#call('GET', JOBS, query)
  }

  /** Returns a job, and what `include` names. */
  getJob(id: string, query: QueryParameters = {}): Promise<WireGetJobAnswer> {
    return this.#call('GET', jobPath(id), query)
  }

  /** Stops a job. */
  stopJob(id: string, reason: string, query: QueryParameters): Promise<{ readonly EvaluationID: string }> {
    return this.#call('DELETE', jobPath(id), query, { reason })
  }

  /** Lists the executions of a job. */
  listExecutions(id: string, query: QueryParameters = {}): Promise<WirePage<WireExecution>> {
    return this.#call('GET', `${jobPath(id)}/executions`, query)
  }

  /** Lists the versions of a job, the oldest first. */
  listVersions(id: string, query: QueryParameters): Promise<WirePage<WireJob>> {
    return this.#call('GET', `${jobPath(id)}/versions`, query)
  }

  /** Lists where the results of a job are, and the addresses of those that its nodes keep. */
  listResults(id: string): Promise<WirePage<WireSpecConfig>> {
    return this.#call('GET', `${jobPath(id)}/results`, {})
  }

  /** Begins to fetch results from an address that the node gave out, behind what is there of them. */
  openResults(address: string, received: ReceivedResults | null, signal: AbortSignal): Promise<ResultStream> {
    return openResults(this.#address, address, received, signal)
  }

  /** Lists the history of a job. While the job has not ended there is always a next token. */
  listHistory(id: string, query: QueryParameters = {}): Promise<WirePage<WireHistory>> {
    const versions = query['job_version'] === undefined ? { all_job_versions: true } : {}
    return this.#call('GET', `${jobPath(id)}/history`, { ...versions, ...query })
  }

  /** Removes old jobs; waits for at most five minutes. */
  gc(request: object): Promise<GcReport> {
    return this.#call('POST', '/api/v1/saltcod/gc', {}, request, GC_ANSWER_MS)
  }

  /** Holds a job against being removed, or lets it go where there is no reason. */
  holdJob(id: string, reason: string | null, query: QueryParameters): Promise<HoldAnswer> {
    const path = `/api/v1/saltcod/jobs/${encodeURIComponent(id)}`
    return reason === null
      ? this.#call('POST', `${path}/release`, query, {})
      : this.#call('POST', `${path}/hold`, query, { Reason: reason })
  }

  /** Makes a token; the answer is the only one that tells it. */
  createToken(token: {
    readonly Role: Role
    readonly Note: string
    readonly ExpiresInMs?: number | undefined
  }): Promise<NewTokenAnswer> {
    return this.#call('POST', TOKENS, {}, token)
  }

  /** Lists the tokens that the node takes, and those that ended lately. */
  listTokens(): Promise<{ readonly Items: readonly ListedToken[] }> {
    return this.#call('GET', TOKENS, {})
  }

  /** Ends a token. */
  revokeToken(id: string): Promise<ListedToken> {
    return this.#call('DELETE', `${TOKENS}/${encodeURIComponent(id)}`, {})
  }

  /** Lists the nodes that run jobs. */
  listNodes(query: QueryParameters = {}): Promise<{ readonly Nodes: readonly WireNodeState[] }> {
    return this.#call('GET', NODES, query)
  }

  /** Returns a node, by its id or the beginning of it. */
  getNode(
    id: string,
  ): Promise<{ readonly Node: WireNodeState; readonly Certificates?: readonly WireCertificate[] }> {
    return this.#call('GET', `${NODES}/${encodeURIComponent(id)}`, {})
  }

  /** Carries out what was decided of a node. */
  changeNode(id: string, action: NodeAction): Promise<{ readonly Success: boolean }> {
    return this.#call('PUT', `${NODES}/${encodeURIComponent(id)}`, {}, action)
  }

  /** Lists the jobs of the node's archive. */
  listArchive(query: QueryParameters): Promise<WirePage<ArchivedItem>> {
    return this.#call('GET', ARCHIVE, query)
  }

  /** Returns a job of the node's archive. */
  getArchived(id: string, query: QueryParameters): Promise<ArchivedJobAnswer> {
    return this.#call('GET', `${ARCHIVE}/${encodeURIComponent(id)}`, query)
  }

  /** Brings a job back from the node's archive. */
  restoreArchived(id: string, query: QueryParameters): Promise<HoldAnswer> {
    return this.#call('POST', `${ARCHIVE}/${encodeURIComponent(id)}/restore`, query, {})
  }

  /** Begins to rewrite the stores of the node, unless that is going on. */
  compact(): Promise<CompactionStatus> {
    return this.#call('POST', COMPACT, {}, {})
  }

  /** Returns how far rewriting the stores is. */
  compactionStatus(): Promise<CompactionStatus> {
    return this.#call('GET', COMPACT, {})
  }

  /** Stops rewriting the stores; returns how it was before. */
  stopCompaction(): Promise<CompactionStatus> {
    return this.#call('DELETE', COMPACT, {})
  }

  /** Returns the version of the node. */
  version(): Promise<WireBuildVersion> {
    return this.#call('GET', '/api/v1/agent/version', {})
  }

  /** Yields what a job wrote. */
  async *readLog(id: string, request: LogRequest): AsyncIterable<ReceivedPart> {
    const address = this.#address
    try {
      yield* readLog(address, id, request)
    } catch (error) {
      if (!(await this.#prove(address, error))) throw error
      yield* readLog(this.#address, id, request)
    }
  }

  /** Asks what both sides know of a job's executions, or of one. */
  why(id: string, query: QueryParameters): Promise<WhyAnswer> {
    return this.#call('GET', `${WHY_PATH}/${encodeURIComponent(id)}`, query)
  }

  async #call<T>(...request: Request): Promise<T> {
    const address = this.#address
    try {
      return (await this.#answer(...request)) as T
    } catch (error) {
      if (!(await this.#prove(address, error))) throw error
      return (await this.#answer(...request)) as T
    }
  }

  /** Tells whether there is something to show to a node that refused because nothing was. */
  async #prove({ authorization: shown }: NodeAddress, error: unknown): Promise<boolean> {
    if (shown !== undefined || !isUnproven(error)) return false
    this.#asked ??= this.#ask(error)
    const authorization = await this.#asked
    if (authorization === undefined) return false
    this.#address = { ...this.#address, authorization }
    return true
  }

  async #answer(...[method, path, query, body, answerMs = ANSWER_MS]: Request): Promise<unknown> {
    const { status, text } = await this.#fetch(`${path}${queryText(query)}`, answerMs, {
      method,
      headers: {
        [VERSION_HEADER]: OWN_CLIENT_VERSION,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const answer = parse(text)
    if (status === 200 && answer !== undefined) return answer
    throw (
      refusal(answer) ??
      new Failure(EXIT.failed, `${this.#address.base} answered with status ${status} and no reason`, {
        hint: 'is it a saltcod node that listens there?',
      })
    )
  }

  async #fetch(
    path: string,
    answerMs: number,
    init: Omit<NodeRequest, 'signal'>,
  ): Promise<{ readonly status: number; readonly text: string }> {
    try {
      const signal = AbortSignal.timeout(answerMs)
      const response = await fetchFrom(this.#address, path, { ...init, signal })
      // A node may also be lost in the middle of its answer.
      return { status: response.status, text: await response.text() }
    } catch (error) {
      throw unreachable(this.#address.base, error, answerMs)
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function jobPath(id: string): string {
  return `${JOBS}/${encodeURIComponent(id)}`
}

function queryText(query: QueryParameters): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue
    for (const item of Array.isArray(value) ? value : [value]) parameters.append(name, String(item))
  }
  const text = parameters.toString()
  return text === '' ? '' : `?${text}`
}
