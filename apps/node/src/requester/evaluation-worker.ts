import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Evaluation, Execution, Json, OutboxMessage, Plan } from '@saltcod/store-core'
import { isStoreError, JOB_MACHINE, newId } from '@saltcod/store-core'
import type { Command } from '../link/link.ts'
import { isStoreGone } from '../store-gone.ts'
import { pause } from '../waiting/pause.ts'
import { collectItems } from './all-items.ts'
import type { RequesterContext } from './context.ts'
import { requestEvaluation } from './evaluation-request.ts'
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
  /** The jobs that are being decided about. */
  readonly #inHand = new Map<string, Hand>()

  constructor(context: RequesterContext) {
    this.#context = context
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
    const { store, log, nodes, ends, askedRuns } = this.#context
    const lease = unclaimed(evaluation)
    const { joins } = nodes
    const view = await this.#view(evaluation)
    if (view === null) {
      await store.completeEvaluation({ lease, status: 'canceled', comment: 'the job is gone' })
      return
    }
    const decision = await this.#decision(view, evaluation)
    await store.applyPlan({
      lease,
      newExecutions: decision.newExecutions,
      updates: decision.updates,
      ...jobPart(view, decision),
      followUps: decision.followUps,
      comment: decision.comment,
      outbox: decision.commands.map(({ nodeId, command }): OutboxMessage => {
        return { destination: nodeId, body: command as unknown as Json }
      }),
    })
    for (const { endReason } of decision.updates) ends.add(endReason)
    askedRuns.remember(view.job, decision.commands)
    for (const nodeId of new Set(decision.commands.map((command) => command.nodeId)))
      nodes.commandsFor(nodeId).advance()
    await this.#giveUpOutlived(view)
    // A node that came meanwhile has had those looked at that waited before.
    if (nodes.joins !== joins && waitsForNodes(decision))
      await requestEvaluation(this.#context, view.job.id, 'node-join')
    if (decision.comment !== '') {
      log.debug({ job: view.job.id, trigger: view.trigger, decision: decision.comment }, 'plan applied')
    }
  }

  /** Gives up the oldest ended executions of what runs for ever, on their nodes too; the rest at the next decision. */
  async #giveUpOutlived({ job, executions, rules }: SchedulingView): Promise<void> {
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

  async #view(evaluation: Evaluation): Promise<SchedulingView | null> {
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
      nodes: nodes.schedulable(),
      lostNodes: toldOf(executions, (nodeId) => nodes.lossOf(nodeId)),
      drainedNodes: toldOf(executions, (nodeId) => nodes.drainOf(nodeId)),
      trigger: evaluation.trigger,
      pendingDueMs: null,
      // Where the clock is set meanwhile, one of the two is before every deadline that was read and has not passed.
      nowMs: Math.min(beganMs, clock()),
      rules: settings.retry,
      newExecutionId: () => newId('e'),
    }
  }

  /** Only who would look again has to know what waits already. */
  async #decision(view: SchedulingView, { id, jobId }: Evaluation): Promise<Decision> {
    const decision = schedule(view)
    if (decision.followUps.length === 0) return decision
    const { items } = await this.#context.store.listEvaluations({ jobId, reverse: true, limit: 50 })
    const due = items
      .filter((other) => other.status === 'pending' && other.id !== id)
      .map(({ dueAtMs }) => dueAtMs)
    return due.length === 0 ? decision : schedule({ ...view, pendingDueMs: Math.min(...due) })
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

function jobPart({ job }: SchedulingView, { job: move }: Decision) {
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

function waitsForNodes({ followUps }: Decision): boolean {
  return followUps.some(({ trigger }) => trigger === 'job-queue')
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
