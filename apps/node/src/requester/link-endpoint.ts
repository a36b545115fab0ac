import { EXECUTION_MACHINE, type Execution, isStoreError, type OutboxRow } from '@saltcod/store-core'
import type { ProvenLink } from '../link/bound-link.ts'
import type {
  Acknowledgement,
  Command,
  Delivery,
  Demand,
  DemandPoll,
  Handshake,
  HandshakeAnswer,
  HandshakeExecution,
  HandshakeReply,
  Heartbeat,
  HeartbeatReply,
  InSession,
  OpenChunks,
  Poll,
  Report,
  ReportAnswer,
  Reports,
  Supply,
  WhyStopped,
} from '../link/link.ts'
import { LinkError } from '../link/link-error.ts'
import type { NodeProof } from '../link/node-proof.ts'
import { linkedStore } from '../link/peer-store.ts'
import { breathing } from '../waiting/breath.ts'
import { JoinedSignal } from '../waiting/joined-signal.ts'
import { ComingsLog } from './comings-log.ts'
import type { RequesterContext } from './context.ts'
import type { StoreCondition } from './membership.ts'
import { mergedReports } from './merged-reports.ts'
import { MissingExecutions } from './missing-executions.ts'
import { NodeExecutions } from './node-executions.ts'
import type { PlacementKeeper } from './placement/placement-keeper.ts'
import { type Reconciled, reconcile, type WaitingOrder } from './reconciliation.ts'
import { isRefusal, type ReportContext, translateReport, translateReturn } from './report-translation.ts'
import { Sessions } from './sessions.ts'
import { standingOrder, whyStopped } from './standing-order.ts'
import { takenOver } from './taken-over.ts'

const OUTBOX_PAGE = 500
const NOTHING_LATER = { runDeadlineAtMs: null, lookAfterMs: null }

/** The requester's end of the link: hands commands out and takes reports in. */
export class LinkEndpoint implements ProvenLink {
  readonly #context: RequesterContext
  readonly #keeper: PlacementKeeper
  readonly #missing: MissingExecutions
  readonly #sessions = new Sessions()
  readonly #executions: NodeExecutions
  readonly #comings: ComingsLog

  constructor(context: RequesterContext, keeper: PlacementKeeper) {
    this.#context = context
    this.#keeper = keeper
    this.#missing = new MissingExecutions(context)
    this.#executions = new NodeExecutions(context.store)
    this.#comings = new ComingsLog(context.log)
  }

  /** Takes a node in and tells it for each of its executions whether to go on. */
  async handshake(
    { versions, node, load, store: nodeStore, executions }: Handshake,
    proof: NodeProof | null = null,
  ): Promise<HandshakeReply> {
    const { nodes, membership, store, settings, nodeId: requesterId } = this.#context
    this.#mustGoOn()
    const agreed = this.#sessions.agree(versions)
    const met = await membership.meet({ node, store: nodeStore }, proof)
    if (typeof met === 'string') {
      this.#comings.tell('error', { node: node.nodeId, refusal: met }, 'node refused')
      return { refusal: met }
    }
    const { condition, record } = met
    const opening = nodeStore.openings[0]?.id ?? ''
    const goesOn = condition === 'known' && this.#sessions.isSameOpening(node.nodeId, opening)
    const answers: Record<string, HandshakeAnswer> = {}
    const stopped: Record<string, WhyStopped> = {}
    const hasCome = nodes.beginComing(node.nodeId)
    try {
      for await (const execution of breathing(executions)) {
        const { executionId } = execution
        const answer = this.#answer(node.nodeId, execution, condition, goesOn)
        const told = await this.#unlessDamaged(executionId, answer, undefined)
        if (told === undefined) continue
        answers[executionId] = told
        const known = told === 'stop' ? await store.getExecution(executionId) : null
        if (known !== null) stopped[executionId] = whyStopped(known)
      }
      await this.#takeIn({ node, load, executions }, condition)
    } finally {
      hasCome()
    }
    const mark = await takenOver(store)
    const linked = { ...(await linkedStore(store)), ...(mark === undefined ? {} : { takenOver: mark }) }
    this.#sessions.keep(node.nodeId, agreed, linked.sequence, opening)
    // Polls of an earlier session wait no longer.
    nodes.commandsFor(node.nodeId).advance()
    const { membership: status, scheduling } = record
    const told = {
      node: node.nodeId,
      executions: executions.length,
      engines: node.engines,
      status,
      scheduling,
    }
    if (condition === 'known') this.#comings.tell('info', told, 'node connected')
    else {
      const message = 'node connected with another store than it had'
      this.#comings.tell('warn', { ...told, store: condition }, message)
    }
    const { silentAfterMs } = settings
    return { ...agreed, requesterId, store: linked, answers, whyStopped: stopped, silentAfterMs }
  }

  /** Waits for commands. */
  async poll(request: Poll, signal: AbortSignal): Promise<readonly Delivery[]> {
    const { store, nodes } = this.#context
    const { nodeId, afterSequence, limit, waitMs } = request
    this.#mustKnow(request)
    const commands = nodes.commandsFor(nodeId)
    const seen = commands.count
    nodes.touch(nodeId)
    const read = (): Promise<OutboxRow[]> => store.readOutbox({ destination: nodeId, afterSequence, limit })
    let rows = await read()
    if (rows.length === 0) {
      const until = new JoinedSignal(signal, this.#context.stopping)
      await commands.wait(seen, { maxMs: waitMs, signal: until.signal })
      until.release()
      if (!signal.aborted && !this.#context.stopping.aborted) {
        this.#mustKnow(request)
        rows = await read()
      }
    }
    const sinceSequence = this.#sessions.sinceSequence(nodeId)
    return await Promise.all(
      rows.map(async ({ sequence, body }) => {
        const command = body as unknown as Command
        const standing = sequence <= sinceSequence ? await this.#standing(command) : command
        return { sequence, command: await this.#current(standing) }
      }),
    )
  }

  /** What the node may have been told already is told as it is to be understood now. */
  async #standing(command: Command): Promise<Command> {
    if (command.kind !== 'ask-for-bid' && command.kind !== 'cancel') return command
    const { executionId } = command
    const execution = this.#context.store.getExecution(executionId)
    return await this.#unlessDamaged(
      executionId,
      execution.then((known) => standingOrder(command, known)),
      command,
    )
  }

  /** The deadline of a job moves with the clock when it is set, and a command may have waited. */
  async #current(command: Command): Promise<Command> {
    if (command.kind !== 'ask-for-bid' || command.deadlineAtMs === null) return command
    const job = await this.#unlessDamaged(
      command.executionId,
      this.#context.store.getJob(command.job.id),
      null,
    )
    return { ...command, deadlineAtMs: job?.deadlineAtMs ?? command.deadlineAtMs }
  }

  /** Forgets commands whose effect the node has stored. */
  async acknowledge(request: Acknowledgement): Promise<void> {
    const { store, nodes } = this.#context
    this.#mustKnow(request)
    nodes.touch(request.nodeId)
    await store.acknowledgeOutbox({ destination: request.nodeId, upToSequence: request.upToSequence })
  }

  /** Writes what a node reports. The answers are in the order of the reports. */
  async report(request: Reports): Promise<readonly ReportAnswer[]> {
    const { nodeId, reports } = request
    this.#mustKnow(request)
    this.#context.nodes.touch(nodeId)
    // Reports of one execution keep their order; those of different ones share a commit.
    const last = new Map<string, { readonly report: Report; readonly answer: Promise<ReportAnswer> }>()
    const answers = mergedReports(reports).map((report) => {
      const before = last.get(report.executionId)
      if (before?.report === report) return before.answer
      const record = (): Promise<ReportAnswer> =>
        this.#unlessDamaged(report.executionId, this.#record(nodeId, report), 'stale')
      const answer = before === undefined ? record() : before.answer.then(record)
      last.set(report.executionId, { report, answer })
      return answer
    })
    return Promise.all(answers)
  }

  /** Notes that a node is alive. */
  async heartbeat(request: Heartbeat): Promise<HeartbeatReply> {
    const { nodes, store } = this.#context
    const { nodeId, load, sequence, orphans } = request
    this.#mustKnow(request)
    nodes.touch(nodeId, { load, sequence, orphans: orphans ?? null })
    const info = await store.info()
    return { sequence: info.sequence }
  }

  /** Waits for what is to be read of a node. */
  async demands(request: DemandPoll, signal: AbortSignal): Promise<readonly Demand[]> {
    this.#mustGoOn()
    const until = new JoinedSignal(signal, this.#context.stopping)
    try {
      return await this.#context.demands.wait(request, until.signal)
    } finally {
      until.release()
    }
  }

  /** Hands what a node supplies to whoever reads it. */
  async supply(request: Supply, open: OpenChunks): Promise<void> {
    await this.#context.demands.take(request, open)
  }

  /** Stops waiting for executions that nodes did not name. */
  close(): void {
    this.#missing.close()
  }

  /** One damaged record must not hold up all that its node has beside it, for as long as nobody repairs the store. */
  async #unlessDamaged<T>(executionId: string, answer: Promise<T>, instead: T): Promise<T> {
    try {
      return await answer
    } catch (error) {
      if (!isStoreError(error, 'RECORD_CORRUPT')) throw error
      this.#context.log.error({ err: error, execution: executionId }, 'a damaged record is passed over')
      return instead
    }
  }

  /** One that waits no more would be asked again and again. */
  #mustGoOn(): void {
    if (this.#context.stopping.aborted) throw new LinkError('LINK_CLOSED', 'the requester is stopping')
  }

  /** Of a node that we know nothing of we do not know what it works on either. */
  #mustKnow({ nodeId, session }: InSession & { readonly nodeId: string }): void {
    this.#mustGoOn()
    const { nodes } = this.#context
    // What was given up with one that was silent for too long is looked at anew.
    const isStranger = nodes.get(nodeId) === null || nodes.wasSilentTooLong(nodeId)
    if (isStranger || !this.#sessions.isNewest(nodeId, session))
      throw new LinkError('LINK_UNKNOWN', `node ${nodeId} has to shake hands first`)
  }

  async #record(nodeId: string, report: Report): Promise<ReportAnswer> {
    this.#missing.heardOf(nodeId, report.executionId)
    const begun = report.state === 'Running' ? await this.#begun(report.executionId) : NOTHING_LATER
    const bidOpen = isRefusal(report) && (await this.#isBidOpen(report.executionId))
    const translated = translateReport(nodeId, report, { ...begun, bidOpen })
    const answer = await this.#context.store.recordExecution(translated)
    if (answer !== 'applied') return answer
    const { ends, placement } = this.#context
    ends.add(translated.endReason)
    if (translated.to !== undefined && EXECUTION_MACHINE.terminal.has(translated.to))
      placement.ended(translated.executionId)
    return answer
  }

  async #isBidOpen(executionId: string): Promise<boolean> {
    const execution = await this.#context.store.getExecution(executionId)
    return execution?.state === 'New' || execution?.state === 'AskForBid'
  }

  /**
   * Returns what is to come of a run that begins. The node itself enforces the timeout; the requester gives the
   * execution up somewhat later, in case it does not. Of what should run for ever it looks whether it is healthy.
   */
  async #begun(executionId: string): Promise<Omit<ReportContext, 'bidOpen'>> {
    const { store, clock, settings, askedRuns } = this.#context
    const terms = await askedRuns.take(store, executionId)
    if (terms === null) return NOTHING_LATER
    if (terms.isLongRunning)
      return { runDeadlineAtMs: null, lookAfterMs: settings.retry.restarts.minHealthyMs }
    if (terms.timeoutMs === 0) return NOTHING_LATER
    return { runDeadlineAtMs: clock() + terms.timeoutMs + settings.timeoutGraceMs, lookAfterMs: null }
  }

  async #answer(
    nodeId: string,
    named: HandshakeExecution,
    condition: StoreCondition,
    goesOn: boolean,
  ): Promise<HandshakeAnswer | undefined> {
    const { executionId } = named
    const execution = await this.#context.store.getExecution(executionId)
    const known = execution?.nodeId === nodeId ? execution : null
    const { answer, record } = reconcile({
      known,
      named,
      condition: goesOn ? 'goes on' : condition,
      order: null,
    })
    if (answer === 'come again') {
      const what = `node ${nodeId} has reported more of ${executionId} than its handshake says`
      throw new LinkError('LINK_STALE', what)
    }
    if (record === 'lost') await this.#missing.giveUp(nodeId, [executionId], condition)
    if (record === 'taken-back' && !(await this.#takesBack(nodeId, named))) return 'stop'
    return answer ?? undefined
  }

  /** Takes back what was given up with a node that has come back with it in progress. Returns whether it did. */
  async #takesBack(nodeId: string, { executionId, state, revision }: HandshakeExecution): Promise<boolean> {
    const { nodes, store, log } = this.#context
    if (nodes.get(nodeId)?.record.membership !== 'approved') return false
    const begun = state === 'Running' ? await this.#begun(executionId) : NOTHING_LATER
    const report = translateReturn(nodeId, { executionId, state, revision }, begun)
    const taken = (await store.recordExecution(report)) === 'applied'
    if (taken) log.info({ node: nodeId, execution: executionId }, 'an execution came back with its node')
    return taken
  }

  /** Gives up, at once or soon, what we believe to be on a node that does not name it and was not just told of it. */
  async #lookForUnnamed(
    nodeId: string,
    named: readonly HandshakeExecution[],
    inProgress: readonly Execution[],
    condition: StoreCondition,
  ): Promise<void> {
    const names = new Set(named.map(({ executionId }) => executionId))
    const orders = await this.#ordersFor(nodeId)
    const found = { stays: [], lost: [], 'lost-unless-reported': [], 'taken-back': [] } as Record<
      Reconciled['record'],
      string[]
    >
    for (const known of inProgress) {
      const { id } = known
      if (names.has(id)) continue
      found[reconcile({ known, named: null, condition, order: orders.get(id) ?? null }).record].push(id)
    }
    await this.#missing.giveUp(nodeId, found.lost, condition)
    this.#missing.expect(nodeId, found['lost-unless-reported'], condition)
  }

  /** What waits to be delivered to a node, by execution. */
  async #ordersFor(nodeId: string): Promise<ReadonlyMap<string, WaitingOrder>> {
    const { store } = this.#context
    const orders = new Map<string, WaitingOrder>()
    for (let afterSequence = 0; ; ) {
      const rows = await store.readOutbox({ destination: nodeId, afterSequence, limit: OUTBOX_PAGE })
      for (const { body } of rows) {
        const command = body as unknown as Command
        if (command.kind === 'ask-for-bid') orders.set(command.executionId, 'ask')
        else if (command.kind !== 'forget-job') orders.set(command.executionId, 'other')
      }
      afterSequence = rows.at(-1)?.sequence ?? afterSequence
      if (rows.length < OUTBOX_PAGE) return orders
    }
  }

  /** Takes a node in with what it has of ours. */
  async #takeIn(
    { node, load, executions }: Pick<Handshake, 'node' | 'load' | 'executions'>,
    condition: StoreCondition,
  ): Promise<void> {
    const { nodes, placement } = this.#context
    const { nodeId } = node
    const joining = placement.beginJoin(nodeId)
    try {
      const inProgress = await this.#executions.of(nodeId)
      const longRunning = await this.#keeper.longRunningJobs(inProgress)
      await this.#lookForUnnamed(nodeId, executions, inProgress, condition)
      nodes.register(node, load, inProgress.length > 0)
      this.#keeper.join(nodeId, inProgress, longRunning, joining)
    } finally {
      placement.endJoin(joining)
    }
  }
}
