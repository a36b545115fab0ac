import { isLongRunning, outlivesNode } from '@saltcod/bacalhau-records'
import type { ComputeExecution, ComputeState } from '@saltcod/store-core'
import { isStoreGone } from '../store-gone.ts'
import { within } from '../waiting/time-limit.ts'
import { ActiveRun } from './active-run.ts'
import { changeExecution, type ExecutionChange } from './change.ts'
import type { ComputeContext } from './context.ts'
import { publishAgain } from './publication.ts'
import { concludeRun, runExecution } from './run.ts'
import { reattachRun } from './standing-run.ts'

/**
 * The ways to carry an execution on: run it for the first time, run it again, go on with its run, record how its run
 * ended (which an earlier process of the node could not any more), or publish what it left.
 */
export type Continuation = 'run' | 'rerun' | 'reattach' | 'conclude' | 'publish'

/** The state that each way goes on from. */
export const CONTINUES_FROM: { readonly [How in Continuation]: ComputeState } = {
  run: 'BidAccepted',
  rerun: 'Running',
  reattach: 'Running',
  conclude: 'Running',
  publish: 'Publishing',
}

/** Carries executions out, each at most once at a time, and knows which are being worked on. */
export class Runner {
  readonly #context: ComputeContext
  readonly #runs = new Map<string, ActiveRun>()
  /** Those of them that nobody has to wait for: they never end by themselves, or go on without the node. */
  readonly #longRunning = new Set<string>()
  #interrupted = false

  constructor(context: ComputeContext) {
    this.#context = context
  }

  /** The executions that are being worked on. */
  get active(): readonly string[] {
    return [...this.#runs.keys()]
  }

  /** Tells whether an execution is being worked on. */
  isActive(executionId: string): boolean {
    return this.#runs.has(executionId)
  }

  /**
   * Carries an execution on to its end; does nothing where it is in another state by now. Never rejects: what goes
   * wrong ends the execution, or, where the store is gone, leaves it to the next start.
   */
  async carryOut(known: ComputeExecution | string, how: Continuation): Promise<void> {
    const executionId = typeof known === 'string' ? known : known.id
    if (this.#runs.has(executionId)) return
    const run = new ActiveRun()
    this.#runs.set(executionId, run)
    if (this.#interrupted) run.stop('interrupted')
    try {
      const execution =
        typeof known === 'string' ? await this.#context.store.getExecution(executionId) : known
      if (execution?.state !== CONTINUES_FROM[how] || run.why !== undefined) return
      if (isLongRunning(execution.job.type) || outlivesNode(execution.job.spec))
        this.#longRunning.add(executionId)
      await this.#carryOn(execution, how, run)
    } catch (error) {
      await this.#broken(executionId, error)
    } finally {
      this.#runs.delete(executionId)
      this.#longRunning.delete(executionId)
      run.end()
    }
  }

  /** Stops what is being done for an execution; resolves when nothing of it is left. */
  async stop(executionId: string, change: ExecutionChange): Promise<void> {
    const run = this.#runs.get(executionId)
    run?.stop(change)
    await run?.ended
  }

  /** Resolves when nothing is being worked on, or after `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    if (this.#runs.size === 0 || graceMs <= 0) return
    await within(graceMs, this.#allEnded())
  }

  /** Stops what would never end by itself, or goes on without the node, as `interrupt` does; waits for nothing. */
  interruptLongRunning(): void {
    for (const executionId of this.#longRunning) this.#runs.get(executionId)?.stop('interrupted')
  }

  /** Stops all work and leaves the records for the next start; resolves when no process is left. */
  async interrupt(): Promise<void> {
    this.#interrupted = true
    for (const run of this.#runs.values()) run.stop('interrupted')
    await this.#allEnded()
  }

  async #carryOn(execution: ComputeExecution, how: Continuation, run: ActiveRun): Promise<void> {
    switch (how) {
      case 'run':
      case 'rerun':
        return await runExecution(this.#context, execution, run)
      case 'reattach':
        return await reattachRun(this.#context, execution, run)
      case 'conclude':
        return await concludeRun(this.#context, execution)
      case 'publish':
        return await publishAgain(this.#context, execution)
    }
  }

  async #allEnded(): Promise<void> {
    while (this.#runs.size > 0)
      await Promise.all([...this.#runs.values()].map(async (run) => await run.ended))
  }

  async #broken(executionId: string, error: unknown): Promise<void> {
    const { log, closing } = this.#context
    if (closing.aborted || isStoreGone(error)) {
      log.warn({ err: error, executionId }, 'a run is left to the next start')
      return
    }
    log.error({ err: error, executionId }, 'a run broke off')
    const cause = error instanceof Error ? error.message : String(error)
    try {
      await changeExecution(this.#context, executionId, ({ finishedAtMs }) =>
        finishedAtMs !== null
          ? null
          : {
              to: 'Failed',
              endReason: 'node-error',
              message: `The node could not carry it out: ${cause}`,
              topic: 'Running Execution',
            },
      )
    } catch (second) {
      log.error(
        { err: second, executionId },
        'the end of a run could not be recorded; it is left to the next start',
      )
    }
  }
}
