import { localTime, shellWord, shortId, span, type Terminal } from '@saltcod/cli-kit'
import {
  COMPUTE_MACHINE,
  type ComputeExecution,
  EXECUTION_MACHINE,
  type Execution,
  type HistoryEntry,
  JOB_MACHINE,
  type Job,
} from '@saltcod/store-core'
import type { Reasons } from '../explain/compute-node.ts'
import { type Explanation, explanationOf, recordsOf } from '../explain/explanation.ts'
import { momentOfEntry } from '../explain/timeline.ts'
import { becauseItEnded, becauseOfFailures, saysWhy } from '../explain/verdict.ts'
import type { ExplainedNode } from '../source/record-source.ts'
import { readPages } from '../store/store-pages.ts'
import type { ExecutionsFile } from './bacalhau-files.ts'
import type { FileFacts } from './bacalhau-overview.ts'
import type { BacalhauExecutionReader } from './compute-reader.ts'
import type { BacalhauJobReader } from './job-reader.ts'

/** Executions of Bacalhau have no more entries than this. */
const MAX_ENTRIES = 10_000

/** What an execution does, as far as a requester of Bacalhau notes it: never that it runs. */
const DOES: Readonly<Record<string, string>> = {
  New: 'has not been answered for by its node yet',
  AskForBid: 'has been offered to its node, which has not answered',
  AskForBidAccepted: 'was taken by its node, which has not been told to begin yet',
  BidAccepted:
    'was given to its node, which runs it or has it in its queue: a requester of Bacalhau notes no more',
}

/** Tells why a job of Bacalhau is where it is, as far as its file tells. */
export async function explainBacalhauJob(
  terminal: Terminal,
  store: BacalhauJobReader,
  facts: FileFacts,
  job: Job,
): Promise<Explanation> {
  const records = await recordsOf(terminal, store, job.id)
  const { executions, evaluations } = records
  if (JOB_MACHINE.terminal.has(job.state)) {
    const next = ['nothing: it has ended; a new version of it is the only way out']
    return explanationOf(job, records, { because: becauseItEnded(job, executions), next })
  }
  const because = saysWhy(job) ? [job.stateMessage] : []
  const nowMs = Date.now()
  const live = executions.filter(({ state }) => !EXECUTION_MACHINE.terminal.has(state))
  for (const execution of live) because.push(liveText(execution, nowMs))
  if (live.length === 0) because.push('no execution of it is in progress')
  const newest = evaluations.at(-1)
  if (newest !== undefined) {
    because.push(
      `it was to be looked at last for ${newest.trigger}, at ${localTime(newest.createdAtMs)}; Bacalhau does not note whether it was`,
    )
  }
  const failed = becauseOfFailures(executions)
  if (failed !== null) because.push(failed)
  return explanationOf(job, records, { because, next: nextOf(facts) })
}

function liveText({ id, nodeId, state, stateSinceMs, stateMessage }: Execution, nowMs: number): string {
  const said = stateMessage === '' ? '' : ` (${stateMessage})`
  return `execution ${shortId(id)} on ${shortId(nodeId)} ${DOES[state] ?? `is ${state}`}; it is in this state for ${span(nowMs - stateSinceMs)}${said}`
}

function nextOf({ argument, processId, isLeft }: FileFacts): string[] {
  const bring = `saltcod-inspect import ${shellWord(argument)} --to REPOSITORY brings it over`
  if (isLeft)
    return [
      `nothing by itself: since its upgrade Bacalhau reads another file and knows nothing of it; ${bring}`,
    ]
  if (processId !== null) return [`Bacalhau runs (process ${processId}) and goes on with it`]
  return [
    'nothing before Bacalhau starts; its start takes up no evaluation that was under way, and its housekeeping ends what is overdue',
    bring,
  ]
}

/** The compute node of a file of Bacalhau. */
export class BacalhauNode implements ExplainedNode {
  readonly #terminal: Terminal
  readonly #store: BacalhauExecutionReader
  readonly #file: ExecutionsFile
  readonly #facts: FileFacts

  constructor(terminal: Terminal, store: BacalhauExecutionReader, file: ExecutionsFile, facts: FileFacts) {
    this.#terminal = terminal
    this.#store = store
    this.#file = file
    this.#facts = facts
  }

  async explain(execution: ComputeExecution): Promise<Reasons> {
    const { state, stateMessage, stateSinceMs } = execution
    const said = stateMessage === '' ? '' : `: ${stateMessage}`
    const facts = await this.factsOf(execution)
    const ended = COMPUTE_MACHINE.terminal.has(state)
    const because = ended
      ? [`it ended as ${state}${said}`]
      : [`its node notes that it is ${state} since ${span(Date.now() - stateSinceMs)}${said}`]
    const next = ended ? ['nothing: it has ended'] : facts.next
    return { because, next, timeline: facts.timeline }
  }

  async factsOf(execution: ComputeExecution): Promise<Reasons> {
    const entries: HistoryEntry[] = []
    await readPages(
      this.#terminal,
      { limit: MAX_ENTRIES, cursor: undefined },
      (request) => this.#store.listHistory({ executionId: execution.id, ...request }),
      (entry) => entries.push(entry),
    )
    const timeline = entries.map((entry) => momentOfEntry(entry, this.#facts.nodeId ?? 'compute'))
    if (COMPUTE_MACHINE.terminal.has(execution.state)) return { because: [], next: [], timeline }
    const because = [`the node notes that execution ${shortId(execution.id)} is ${execution.state}`]
    return { because, next: this.#nextOf(execution), timeline }
  }

  #nextOf({ id, state, job: { type } }: ComputeExecution): string[] {
    const { processId, isLeft } = this.#facts
    if (isLeft) return []
    if (processId !== null)
      return [`Bacalhau runs (process ${processId}) and carries execution ${shortId(id)} on`]
    const isLasting = type === 'service' || type === 'daemon'
    const isLocal = this.#file.layout.generations[0]?.states === 'local'
    const what = isLocal ? startOfEarlier(state, isLasting) : startOfLater(state, isLasting)
    return [`when Bacalhau starts, it ${what} (execution ${shortId(id)}, ${type}, ${state})`]
  }
}

/** What a start does up to v1.5.1. */
function startOfEarlier(state: string, isLasting: boolean): string {
  if (state === 'Created') return 'leaves it as it is'
  if (state === 'BidAccepted') return 'has forgotten its queue, and leaves it as it is'
  return isLasting && state === 'Running' ? 'runs it again' : 'lets it fail'
}

/** What a start does since v1.5.2. */
function startOfLater(state: string, isLasting: boolean): string {
  if (state === 'Created') return 'leaves it as it is'
  return isLasting ? 'runs it again' : 'lets it fail, as one that a restart ended'
}
