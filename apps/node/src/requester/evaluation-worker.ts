import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Evaluation, Execution, Json, OutboxMessage, Plan } from '@saltcod/store-core'
import { EXECUTION_MACHINE, isStoreError, JOB_MACHINE, newId } from '@saltcod/store-core'
import type { Command } from '../link/link.ts'
import { isStoreGone } from '../store-gone.ts'
import { pause } from '../waiting/pause.ts'
import { collectItems } from './all-items.ts'
import type { RequesterContext } from './context.ts'
import type { PlacementKeeper } from './placement/placement-keeper.ts'
import { uncoveredFollowUps } from './scheduler/follow-ups.ts'
import { outlivedExecutions } from './scheduler/outlived.ts'
import { schedule } from './scheduler/schedule.ts'
import type { Decision, SchedulingView } from './scheduler/view.ts'

/** How often a plan is made anew because the job changed meanwhile, before the evaluation is given back. */
const MAX_PLANS = 5

/** As many attempts as a store takes. */
const UNBOUNDED_ATTEMPTS = 1_000_000

/** As many as a store forgets in one step. */
const MOST_GIVEN_UP = 50

const IDLE_MS = 30_000
const RESUME_MS = 1000
// While a job's evaluation is in hand, it or its next one is due and not begun; the end of the first is a change.
const SHORTEST_SLEEP_MS = 200

/** What a decision rests on as far as it has to be read. */
type ReadView = Omit<SchedulingView, 'nodes' | 'remembersWaiting' | 'nowMs'> & { readonly beganMs: number }

/** A decision under way. */
interface Hand {
  readonly work: Promise<void>
  /** Until when its job is left to it, by the time that passes. */
  readonly untilMs: number
}

/**
 * Works on evaluations: reads what is next, decides, writes the plan. It claims nothing, for it is alone with its
 * store and has one evaluation of a job in hand at a time; of two plans for one evaluation the store takes the first,
 * and what was not written is decided again after a death.
 */
export class EvaluationWorker {
  readonly #context: RequesterContext
  readonly #keeper: PlacementKeeper
  /** The jobs that are being decided about. */
  readonly #inHand = new Map<string, Hand>()

  constructor(context: RequesterContext, keeper: PlacementKeeper) {
    this.#context = context
    this.#keeper = keeper
  }

  /** Works until the requester stops and what was begun is done, or the store has become unusable. Never rejects. */
  async run(): Promise<void> {
    const { stopping, log } = this.#context
    while (!stopping.aborted) {
      try {
        await this.#step()
      } catch (error) {
        if (stopping.aborted || isStoreGone(error)) break
        log.error({ err: error }, 'scheduling was interrupted, will go on')
        await pause(RESUME_MS, stopping)
      }
    }
    await Promise.all([...this.#inHand.values()].map(({ work }) => work))
  }

  async #step(): Promise<void> {
    const { changed, stopping } = this.#context
    const seen = changed.count
    await this.#begin()
    // What is in hand is due, so the queue need not be asked.
    const waitMs = this.#inHand.size > 0 ? SHORTEST_SLEEP_MS : await this.#idleMs()
    await changed.wait(seen, { maxMs: waitMs, signal: stopping })
  }

  async #idleMs(): Promise<number> {
    const { store, clock } = this.#context
    const dueMs = await store.nextEvaluationMs()
    return dueMs === null ? IDLE_MS : Math.min(Math.max(dueMs - clock(), SHORTEST_SLEEP_MS), IDLE_MS)
  }

  /** Begins to work on what is next, as much at a time as the settings say, so that plans share commits. */
  async #begin(): Promise<void> {
    const { store, settings, changed } = this.#context
    const nowMs = performance.now()
    for (const [jobId, { untilMs }] of this.#inHand) if (untilMs <= nowMs) this.#inHand.delete(jobId)
    const free = settings.concurrency - this.#inHand.size
    if (free <= 0) return
    const next = await store.nextEvaluations({ limit: settings.concurrency + this.#inHand.size })
    const others = next.filter(({ jobId }) => !this.#inHand.has(jobId))
    for (const evaluation of others.slice(0, free)) {
      const { jobId } = evaluation
      const work = this.#work(evaluation).finally(() => {
        if (this.#inHand.get(jobId) === hand) this.#inHand.delete(jobId)
        changed.advance()
      })
      const hand: Hand = { work, untilMs: nowMs + settings.leaseMs }
      this.#inHand.set(jobId, hand)
    }
  }

  /** Never rejects; a store that has become unusable ends the loop by itself. */
  async #work(evaluation: Evaluation): Promise<void> {
    const { log } = this.#context
    try {
      await this.#decide(evaluation)
    } catch (error) {
      // Whoever took it meanwhile does the work.
      if (isStoreError(error, 'LEASE_LOST') || isStoreGone(error)) return
      try {
        await this.#giveBack(evaluation, error)
      } catch (again) {
        if (isStoreError(again, 'LEASE_LOST') || isStoreGone(again)) return
        log.error({ err: again, job: evaluation.jobId }, 'scheduling was interrupted, will go on')
        await pause(RESUME_MS, this.#context.stopping)
      }
    }
  }

  async #decide(evaluation: Evaluation): Promise<void> {
    for (let plans = 1; ; plans++) {
      try {
        await this.#plan(evaluation)
        return
      } catch (error) {
        if (!isConflict(error) || plans >= MAX_PLANS) throw error
        await nextTurn()
      }
    }
  }

  async #plan(evaluation: Evaluation): Promise<void> {
    const { store, log, nodes, askedRuns, placement } = this.#context
    const view = await this.#view(evaluation)
    if (view === null) {
      placement.forget(evaluation.jobId)
      await store.completeEvaluation({
        lease: unclaimed(evaluation),
        status: 'canceled',
        comment: 'the job is gone',
      })
      return
    }
    const decision = this.#decision(view)
    try {
      await this.#write(view, decision, evaluation)
    } catch (error) {
      placement.giveBack(decision)
      throw error
    }
    this.#settle(decision)
    askedRuns.remember(view.job, decision.commands)
    for (const nodeId of new Set(decision.commands.map((command) => command.nodeId)))
      nodes.commandsFor(nodeId).advance()
    await this.#giveUpOutlived(view)
    if (decision.comment !== '') {
      log.debug({ job: view.job.id, trigger: view.trigger, decision: decision.comment }, 'plan applied')
    }
  }

  /** Gives up the oldest ended executions of what runs for ever, on their nodes too; the rest at the next decision. */
  async #giveUpOutlived({ job, executions, rules }: ReadView): Promise<void> {
    const { store, nodes } = this.#context
    const outlived = outlivedExecutions(job, executions, rules).slice(0, MOST_GIVEN_UP)
    if (outlived.length === 0) return
    const outbox = outlived.map(({ id, nodeId }): OutboxMessage => {
      const command: Command = { kind: 'forget', executionId: id }
      return { destination: nodeId, body: command as unknown as Json }
    })
    const executionIds = outlived.map(({ id }) => id)
    await store.forgetExecutions({ jobId: job.id, executionIds, outbox })
    for (const nodeId of new Set(outlived.map((execution) => execution.nodeId)))
      nodes.commandsFor(nodeId).advance()
  }

  async #view(evaluation: Evaluation): Promise<ReadView | null> {
    const { store, nodes, membership, clock, settings } = this.#context
    await membership.ready()
    const { jobId } = evaluation
    const beganMs = clock()
    const job = await store.getJob(jobId)
    if (job === null) return null
    const executions = await collectItems((cursor) => store.listExecutions({ jobId, limit: 1000, cursor }))
    return {
      job,
      executions,
      lostNodes: toldOf(executions, (nodeId) => nodes.lossOf(nodeId)),
      awaitedNodes: new Set(
        executions.map(({ nodeId }) => nodeId).filter((nodeId) => nodes.isAwaited(nodeId)),
      ),
      drainedNodes: toldOf(executions, (nodeId) => nodes.drainOf(nodeId)),
      trigger: evaluation.trigger,
      beganMs,
      rules: settings.retry,
      newExecutionId: () => newId('e'),
    }
  }

  /** Decides and promises in one turn, so that no other decision sees what is promised as free. */
  #decision(read: ReadView): Decision & { readonly nowMs: number } {
    const { placement, clock } = this.#context
    const { job, beganMs } = read
    this.#keeper.follow()
    const ticket = placement.begin(job.id)
    // Where the clock is set meanwhile, one of the two is before every deadline that was read and has not passed.
    const nowMs = Math.min(beganMs, clock())
    const { nodes } = placement
    const decision = schedule({ ...read, nodes, remembersWaiting: placement.hasPlaceFor(job.id), nowMs })
    placement.take(job, decision, ticket)
    return { ...decision, nowMs }
  }

  async #write(
    { job }: ReadView,
    decision: Decision & { readonly nowMs: number },
    { id, jobId }: Evaluation,
  ): Promise<void> {
    const { store } = this.#context
    let { followUps } = decision
    // Only who would look again has to know what waits already.
    if (followUps.length > 0) {
      const { items } = await store.listEvaluations({ jobId, reverse: true, limit: 50 })
      const due = items
        .filter((other) => other.status === 'pending' && other.id !== id)
        .map(({ dueAtMs }) => dueAtMs)
      followUps = uncoveredFollowUps(followUps, due.length === 0 ? null : Math.min(...due), decision.nowMs)
    }
    await store.applyPlan({
      lease: { evaluationId: id, unclaimed: true },
      newExecutions: decision.newExecutions,
      updates: decision.updates,
      ...jobPart(job, decision),
      followUps,
      comment: decision.comment,
      outbox: decision.commands.map(({ nodeId, command }): OutboxMessage => {
        return { destination: nodeId, body: command as unknown as Json }
      }),
    })
  }

  /** Takes note of what a plan that is written has ended. */
  #settle(decision: Decision): void {
    const { ends, placement } = this.#context
    placement.settle(decision)
    for (const { executionId, to, endReason } of decision.updates) {
      ends.add(endReason)
      if (to !== undefined && to !== null && EXECUTION_MACHINE.terminal.has(to))
        placement.givenUp(executionId)
    }
  }

  /**
   * Gives an evaluation back after an error; after its last attempt the job fails, so that it does not wait for ever.
   */
  async #giveBack(evaluation: Evaluation, error: unknown): Promise<void> {
    const { store, settings, log } = this.#context
    const reason = error instanceof Error ? error.message : String(error)
    log.warn(
      { err: error, job: evaluation.jobId, evaluation: evaluation.id },
      'scheduling failed, will try again',
    )
    const delays = settings.retryDelaysMs
    const delayMs = delays[Math.min(evaluation.attempt + 1, delays.length) - 1] ?? 1000
    const message = `scheduling failed ${settings.maxAttempts} times: ${reason.slice(0, 500)}`
    const status = await store.retryEvaluation({
      lease: unclaimed(evaluation),
      delayMs,
      maxAttempts: isPassing(error) ? UNBOUNDED_ATTEMPTS : settings.maxAttempts,
      comment: reason.slice(0, 500),
      exhausted: {
        to: 'Failed',
        message,
        event: { message, topic: 'Scheduling', details: { IsError: 'true', NewState: 'Failed' } },
        evaluation: { trigger: 'job-cancel' },
      },
    })
    if (status === 'failed') log.error({ job: evaluation.jobId }, 'scheduling failed for the last time')
  }
}

function unclaimed({ id }: Evaluation): Plan['lease'] {
  return { evaluationId: id, unclaimed: true }
}

function jobPart(job: SchedulingView['job'], { job: move }: Decision) {
  if (move === null) return {}
  return {
    job: {
      ...(move.to === null ? {} : { to: move.to }),
      message: move.message,
      event: move.event,
      expectedRevision: job.revision,
      ...(move.to !== null && JOB_MACHINE.terminal.has(move.to) ? { deadlineAtMs: null } : {}),
    },
  }
}

/** Returns what is told of the nodes of executions, of those of which something is. */
function toldOf<T>(
  executions: readonly Execution[],
  tell: (nodeId: string) => T | null,
): ReadonlyMap<string, T> {
  const told = new Map<string, T>()
  for (const nodeId of new Set(executions.map((execution) => execution.nodeId))) {
    const what = tell(nodeId)
    if (what !== null) told.set(nodeId, what)
  }
  return told
}

function isConflict(error: unknown): boolean {
  return isStoreError(error, 'STATE_CONFLICT', 'REVISION_CONFLICT', 'ALREADY_TERMINAL', 'ILLEGAL_TRANSITION')
}

/** A full disk is no fault of the job, however long it stays full. */
function isPassing(error: unknown): boolean {
  return isStoreError(error, 'STORE_FULL', 'OUTCOME_UNKNOWN')
}
