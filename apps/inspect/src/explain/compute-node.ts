import { outlivesNode } from '@saltcod/bacalhau-records'
import { shortId, type Terminal } from '@saltcod/cli-kit'
import { decideRecovery, type RecoveryPolicy } from '@saltcod/recovery'
import { COMPUTE_MACHINE, type ComputeExecution, type HistoryEntry } from '@saltcod/store-core'
import { findLmdbOwner } from '@saltcod/store-lmdb'
import type { OpenedExecutions } from '../store/open-store.ts'
import { readPages } from '../store/store-pages.ts'
import { type NodeQueue, needText, nodeQueue, queueText } from './node-queue.ts'
import { requesterFacts } from './other-side.ts'
import { type Moment, momentOfEntry } from './timeline.ts'
import { explainExecution } from './verdict.ts'

/** What is told of why something is where it is. */
export interface Reasons {
  readonly because: readonly string[]
  readonly next: readonly string[]
  readonly timeline: readonly Moment[]
}

/** Executions that wait, or have waited, have no more entries than this. */
const MAX_ENTRIES = 10_000

/**
 * The compute node of a store, which is asked once who runs it and how busy it is, however many of its executions
 * are explained.
 */
export class ComputeNode {
  readonly #terminal: Terminal
  readonly #opened: OpenedExecutions
  readonly #policy: () => Promise<RecoveryPolicy>
  #running: Promise<boolean> | undefined
  #queue: Promise<NodeQueue> | undefined

  constructor(terminal: Terminal, opened: OpenedExecutions, policy: () => Promise<RecoveryPolicy>) {
    this.#terminal = terminal
    this.#opened = opened
    this.#policy = policy
  }

  /** Tells all about an execution. */
  async explain(execution: ComputeExecution): Promise<Reasons> {
    const { because, next } = explainExecution(execution, await this.#isRunning(), Date.now())
    const facts = await this.factsOf(execution)
    const known = await requesterFacts(this.#opened, execution)
    return { ...facts, because: [...because, ...facts.because, ...known], next: [...next, ...facts.next] }
  }

  /** Tells what the requester's side does not know of an execution. */
  async factsOf(execution: ComputeExecution): Promise<Reasons> {
    return {
      because: await this.#waitsFor(execution),
      next: await this.#afterStart(execution),
      timeline: await this.#timelineOf(execution.id),
    }
  }

  /** How busy the node is, for an execution in its queue; of a node that does not run, nothing. */
  async #waitsFor(execution: ComputeExecution): Promise<string[]> {
    if (execution.state !== 'BidAccepted' || !(await this.#isRunning())) return []
    this.#queue ??= nodeQueue(this.#opened)
    const queue = await this.#queue
    return [queueText(queue, Date.now()), needText(execution, queue)]
  }

  /** What the start of a node that does not run will do with an execution. */
  async #afterStart(execution: ComputeExecution): Promise<string[]> {
    if (COMPUTE_MACHINE.terminal.has(execution.state) || (await this.#isRunning())) return []
    const { action, reason, rule } = decideRecovery(
      execution,
      await this.#policy(),
      Date.now(),
      outlivesNode(execution.job.spec),
    )
    const why = reason === '' ? '' : ` (${reason})`
    return [`recover --plan: execution ${shortId(execution.id)}: ${action}${why}, by ${rule}`]
  }

  async #timelineOf(executionId: string): Promise<Moment[]> {
    const { store, row } = this.#opened
    const entries: HistoryEntry[] = []
    await readPages(
      this.#terminal,
      { limit: MAX_ENTRIES, cursor: undefined },
      (request) => store.listHistory({ executionId, ...request }),
      (entry) => entries.push(entry),
    )
    return entries.map((entry) => momentOfEntry(entry, row.nodeId ?? 'compute'))
  }

  async #isRunning(): Promise<boolean> {
    this.#running ??= findLmdbOwner(this.#opened.path).then(({ running }) => running)
    return await this.#running
  }
}
