import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Claim, Execution, Json, LeaseToken, OutboxMessage } from '@saltcod/store-core'
import { isStoreError, JOB_MACHINE, newId } from '@saltcod/store-core'
import { isStoreGone } from '../store-gone.ts'
import { pause } from '../waiting/pause.ts'
import { collectItems } from './all-items.ts'
import type { RequesterContext } from './context.ts'
import { schedule } from './scheduler/schedule.ts'
import type { Decision, SchedulingView } from './scheduler/view.ts'

/** How often a plan is made anew because the job changed meanwhile, before the evaluation is given back. */
const MAX_PLANS = 5

/** As many attempts as a store takes. */
const UNBOUNDED_ATTEMPTS = 1_000_000

const IDLE_MS = 30_000
const RESUME_MS = 1000
// While a job's evaluation is worked on, its next one is due and cannot be claimed yet; the end of the first is a change.
const SHORTEST_SLEEP_MS = 200

/** Works on evaluations: claims one, decides, writes the plan. */
export class EvaluationWorker {
  readonly #context: RequesterContext
  readonly #holder: string

  constructor(context: RequesterContext, holder: string) {
    this.#context = context
    this.#holder = holder
  }

  /** Works until the requester stops and what was begun is done, or the store has become unusable. Never rejects. */
  async run(): Promise<void> {
    // Several at a time, so that their claims and plans share commits.
    await Promise.all(Array.from({ length: this.#context.settings.concurrency }, () => this.#runOne()))
  }

  async #runOne(): Promise<void> {
    const { stopping, log } = this.#context
    while (!stopping.aborted) {
      try {
        await this.#step()
      } catch (error) {
        if (stopping.aborted || isStoreGone(error)) return
        log.error({ err: error }, 'scheduling was interrupted, will go on')
        await pause(RESUME_MS, stopping)
      }
    }
  }

  async #step(): Promise<void> {
    const { changed, stopping, store, clock } = this.#context
    const seen = changed.count
    if (await this.tick()) return
    const dueMs = await store.nextEvaluationMs()
    const waitMs = dueMs === null ? IDLE_MS : Math.max(dueMs - clock(), SHORTEST_SLEEP_MS)
    await changed.wait(seen, { maxMs: Math.min(waitMs, IDLE_MS), signal: stopping })
  }

  /** Claims one evaluation and works on it to its end. Resolves with whether there was one. */
  async tick(): Promise<boolean> {
    const claim = await this.#claim()
    if (claim === null) return false
    await this.#work(claim)
    return true
  }

  #claim(): Promise<Claim | null> {
    const { store, settings } = this.#context
    const { leaseMs, maxAttempts } = settings
    return store.claimEvaluation({ holder: this.#holder, leaseMs, maxAttempts, scheduler: true })
  }

  async #work(claim: Claim): Promise<void> {
    let { lease } = claim
    try {
      for (let plans = 1; ; plans++) {
        lease = await this.#renewed(lease)
        try {
          await this.#plan(claim, lease)
          return
        } catch (error) {
          if (!isConflict(error) || plans >= MAX_PLANS) throw error
          await nextTurn()
        }
      }
    } catch (error) {
      // Whoever holds the lease now does the work.
      if (isStoreError(error, 'LEASE_LOST')) return
      if (isStoreGone(error)) throw error
      await this.#giveBack(claim, lease, error)
    }
  }

  async #renewed(lease: LeaseToken): Promise<LeaseToken> {
    const { store, settings, clock } = this.#context
    if (lease.expiresAtMs - clock() > settings.leaseMs / 2) return lease
    return store.extendLease({ lease, leaseMs: settings.leaseMs })
  }

  async #plan(claim: Claim, lease: LeaseToken): Promise<void> {
    const { store, log, nodes, ends } = this.#context
    const view = await this.#view(claim)
    if (view === null) {
      await store.completeEvaluation({ lease, status: 'canceled', comment: 'the job is gone' })
      return
    }
    const decision = schedule(view)
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
    for (const nodeId of new Set(decision.commands.map((command) => command.nodeId)))
      nodes.commandsFor(nodeId).advance()
    if (decision.comment !== '') {
      log.debug({ job: view.job.id, trigger: view.trigger, decision: decision.comment }, 'plan applied')
    }
  }

  async #view({ evaluation }: Claim): Promise<SchedulingView | null> {
    const { store, nodes, clock, settings } = this.#context
    const { jobId } = evaluation
    const beganMs = clock()
    const job = await store.getJob(jobId)
    if (job === null) return null
    const executions = await collectItems((cursor) => store.listExecutions({ jobId, limit: 1000, cursor }))
    const others = await store.listEvaluations({ jobId, reverse: true, limit: 50 })
    const due = others.items
      .filter((other) => other.status === 'pending' && other.id !== evaluation.id)
      .map((other) => other.dueAtMs)
    return {
      job,
      executions,
      nodes: nodes.list().filter((node) => node.connected),
      lostNodeIds: lostNodes(executions, (nodeId) => nodes.isLost(nodeId)),
      trigger: evaluation.trigger,
      pendingDueMs: due.length === 0 ? null : Math.min(...due),
      // Where the clock is set meanwhile, one of the two is before every deadline that was read and has not passed.
      nowMs: Math.min(beganMs, clock()),
      rules: settings.retry,
      newExecutionId: () => newId('e'),
    }
  }

  /** Gives an evaluation back after an error; after its last attempt the job fails, so that it does not wait for ever. */
  async #giveBack(claim: Claim, lease: LeaseToken, error: unknown): Promise<void> {
    const { store, settings, log } = this.#context
    const { evaluation } = claim
    const reason = error instanceof Error ? error.message : String(error)
    log.warn(
      { err: error, job: evaluation.jobId, evaluation: evaluation.id },
      'scheduling failed, will try again',
    )
    const delays = settings.retryDelaysMs
    const delayMs = delays[Math.min(lease.attempt, delays.length) - 1] ?? 1000
    const message = `scheduling failed ${settings.maxAttempts} times: ${reason.slice(0, 500)}`
    const status = await store.retryEvaluation({
      lease,
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

function jobPart({ job }: SchedulingView, { job: move }: Decision) {
  if (move === null) return {}
  return {
    job: {
      to: move.to,
      message: move.message,
      event: move.event,
      expectedRevision: job.revision,
      ...(JOB_MACHINE.terminal.has(move.to) ? { deadlineAtMs: null } : {}),
    },
  }
}

function lostNodes(executions: readonly Execution[], isLost: (nodeId: string) => boolean): Set<string> {
  return new Set(executions.map((execution) => execution.nodeId).filter(isLost))
}

function isConflict(error: unknown): boolean {
  return isStoreError(error, 'STATE_CONFLICT', 'REVISION_CONFLICT', 'ALREADY_TERMINAL', 'ILLEGAL_TRANSITION')
}

/** A full disk is no fault of the job, however long it stays full. */
function isPassing(error: unknown): boolean {
  return isStoreError(error, 'STORE_FULL', 'OUTCOME_UNKNOWN')
}
