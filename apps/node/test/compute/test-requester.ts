import assert from 'node:assert/strict'
import {
  COMPUTE_MACHINE,
  type ComputeState,
  type EndReason,
  type EventInput,
  type ExecutionJob,
  isEndReason,
  type Json,
} from '@saltcod/store-core'
import type {
  Command,
  Delivery,
  Demand,
  HandshakeAnswer,
  HandshakeExecution,
  Link,
  LinkedStore,
  NodeDescription,
  Report,
  ReportAnswer,
  WhyStopped,
} from '../../src/link/link.ts'
import { LinkError } from '../../src/link/link-error.ts'
import { Demands } from '../../src/requester/demands.ts'

/** What the requester of these tests knows of an execution. */
export interface KnownExecution {
  state: ComputeState | 'Asked'
  endReason?: EndReason
  revision: number
  runOutput: Json
  publishedResult: Json
  /** Every event in the order in which it was applied. */
  readonly events: EventInput[]
}

/** A requester in memory that keeps the link's contract: commands until acknowledged, reports once, by revision. */
export class TestRequester implements Link {
  readonly executions = new Map<string, KnownExecution>()
  readonly handshakes: (readonly HandshakeExecution[])[] = []
  /** Answers of the next handshakes, where they differ from what the requester would say. */
  readonly answers = new Map<string, HandshakeAnswer>()
  readonly whyStopped: Record<string, WhyStopped> = {}
  /** What it says of its store. */
  store: LinkedStore = { storeId: 'jobs', durable: true, sequence: 1, openings: [] }
  node: NodeDescription | undefined
  /** What a test reads of what the node keeps. */
  readonly wanted = new Demands()
  acceptBids = true
  heartbeats = 0
  /** After so long a silence it says that it gives no new work. */
  silentAfterMs = 30_000
  /** It has begun anew, and knows nobody before the next handshake. */
  knowsNobody = false
  acknowledged = 0
  #commands: Delivery[] = []
  #sequence = 0
  #waiters: (() => void)[] = []

  /** Number of commands that were not acknowledged. */
  get pendingCommands(): number {
    return this.#commands.length
  }

  /** Sends a command. */
  send(command: Command): number {
    this.#sequence += 1
    this.#commands.push({ sequence: this.#sequence, command })
    for (const waiter of this.#waiters.splice(0)) waiter()
    return this.#sequence
  }

  /** Asks a node to carry an execution out. */
  ask(
    executionId: string,
    job: ExecutionJob,
    more: Partial<Extract<Command, { kind: 'ask-for-bid' }>> = {},
  ): void {
    this.executions.set(executionId, {
      state: 'Asked',
      revision: 0,
      runOutput: null,
      publishedResult: null,
      events: [],
    })
    this.send({
      kind: 'ask-for-bid',
      executionId,
      job,
      partition: null,
      approved: false,
      rerunnable: false,
      deadlineAtMs: null,
      ...more,
    })
  }

  /** Returns what is known of an execution. */
  known(executionId: string): KnownExecution {
    const known = this.executions.get(executionId)
    if (known === undefined) throw new Error(`the test asked for no execution ${executionId}`)
    return known
  }

  handshake(request: Parameters<Link['handshake']>[0]): ReturnType<Link['handshake']> {
    this.knowsNobody = false
    this.node = plain(request.node)
    this.handshakes.push(plain(request.executions))
    const answers = request.executions.map(({ executionId }): [string, HandshakeAnswer] => {
      const known = this.executions.get(executionId)
      const natural = known === undefined ? 'forget' : hasEnded(known.state) ? 'stop' : 'continue'
      return [executionId, this.answers.get(executionId) ?? natural]
    })
    const { store, whyStopped, silentAfterMs } = this
    return Promise.resolve({ store, answers: Object.fromEntries(answers), whyStopped, silentAfterMs })
  }

  async poll(
    { afterSequence, limit, waitMs }: Parameters<Link['poll']>[0],
    signal: AbortSignal,
  ): Promise<readonly Delivery[]> {
    const behind = (): Delivery[] =>
      this.#commands.filter(({ sequence }) => sequence > afterSequence).slice(0, limit)
    if (behind().length === 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs)
        const wake = (): void => {
          clearTimeout(timer)
          resolve()
        }
        this.#waiters.push(wake)
        signal.addEventListener('abort', wake, { once: true })
      })
    }
    return plain(behind())
  }

  acknowledge({ upToSequence }: Parameters<Link['acknowledge']>[0]): Promise<void> {
    this.acknowledged = Math.max(this.acknowledged, upToSequence)
    this.#commands = this.#commands.filter(({ sequence }) => sequence > upToSequence)
    return Promise.resolve()
  }

  report({ reports }: Parameters<Link['report']>[0]): Promise<readonly ReportAnswer[]> {
    if (this.knowsNobody) throw new LinkError('LINK_UNKNOWN', 'shake hands first')
    return Promise.resolve(plain(reports).map((report) => this.#apply(report)))
  }

  heartbeat(): ReturnType<Link['heartbeat']> {
    this.heartbeats += 1
    return Promise.resolve({ sequence: this.store.sequence })
  }

  demands(...given: Parameters<Link['demands']>): Promise<readonly Demand[]> {
    return this.wanted.wait(...given)
  }

  supply(...[request, open]: Parameters<Link['supply']>): Promise<void> {
    return this.wanted.take(request, open)
  }

  #apply({ executionId, revision, state, endReason, patch, event }: Report): ReportAnswer {
    const needsReason = state === 'Failed' || state === 'Cancelled'
    assert.equal(isEndReason(endReason), needsReason, `${state}: ${endReason}`)
    const known = this.executions.get(executionId)
    if (known === undefined) return 'unknown'
    if (revision <= known.revision || hasEnded(known.state)) return 'stale'
    known.revision = revision
    if (state !== undefined) known.state = state
    if (endReason !== undefined) known.endReason = endReason
    if (patch?.runOutput !== undefined) known.runOutput = patch.runOutput
    if (patch?.publishedResult !== undefined) known.publishedResult = patch.publishedResult
    if (event !== undefined) known.events.push(event)
    if (state === 'Created' && this.acceptBids) this.send({ kind: 'bid-accepted', executionId })
    return 'applied'
  }
}

function hasEnded(state: KnownExecution['state']): boolean {
  return state !== 'Asked' && COMPUTE_MACHINE.terminal.has(state)
}

/** What a network would make of a value. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
