import { join } from 'node:path'
import { executionStateName, type WireExecution, type WireGetJobAnswer } from '@saltcod/bacalhau-records'
import type { ExecutionStore } from '@saltcod/store-core'
import type { NetworkJob } from './network-jobs.ts'
import { ToldLives } from './told-lives.ts'

/** What happened to an execution although it had come to its end: it may be done once more elsewhere. */
const SURPLUS_REASONS: ReadonlySet<string> = new Set([
  'node-lost',
  'record-lost',
  'interrupted',
  // Of one whose place it had taken, and whose node came back with the result.
  'surplus',
])
/** Ends that the requester decides, whatever its node knows of it. */
const DECIDED: ReadonlySet<string> = new Set([
  'node-lost',
  'record-lost',
  'stopped',
  'replaced',
  'surplus',
  'drained',
])

/** Judges a job that is over, and collects what is to be told of all of them. */
export class NetworkVerdict {
  /** The executions that requesters know, of all jobs. */
  readonly executions: WireExecution[] = []
  /** Runs that came to their end and do not count. */
  readonly surplus: string[] = []
  readonly #marks: string

  /** Runs have written into files of the directory that bear the name of their job. */
  constructor(marks: string) {
    this.#marks = marks
  }

  /** How many executions there were of each state and reason, and which runs were surplus. */
  figures(): string {
    const counts = new Map<string, number>()
    for (const execution of this.executions) {
      const end = `${stateOf(execution)} ${execution.EndReason ?? ''}`.trim()
      counts.set(end, (counts.get(end) ?? 0) + 1)
    }
    const ends = [...counts].map(([end, count]) => `${count} ${end}`).join(', ')
    return `${this.executions.length} executions (${ends}); ${this.surplus.length} surplus runs: ${this.surplus.join(', ')}`
  }

  /** Returns what is wrong with a job that is over. */
  judge(job: NetworkJob, answer: WireGetJobAnswer): string[] {
    const executions = answer.Executions?.Items ?? []
    this.executions.push(...executions)
    const completed = executions.filter((execution) => stateOf(execution) === 'Completed')
    const lost = executions.some(({ EndReason = '' }) => SURPLUS_REASONS.has(EndReason))
    const state = answer.Job.State.StateType
    const found: string[] = []
    if (job.end === 'goes on' && state !== 'Stopped') found.push(`is ${state}, not Stopped`)
    else if (job.end !== 'goes on' && state !== job.end && !(job.type === 'ops' && lost))
      found.push(`is ${state}, not ${job.end}`)
    if (job.type === 'batch' && job.end === 'Completed') {
      const shares = new Set(completed.map(({ PartitionIndex = 0 }) => PartitionIndex))
      if (completed.length !== job.count || shares.size !== job.count)
        found.push(`${completed.length} executions completed for ${shares.size} of ${job.count} shares`)
    }
    if (job.type === 'ops' && new Set(completed.map(({ NodeID }) => NodeID)).size !== completed.length)
      found.push('it completed twice on one node')
    if (job.end === 'Failed' && completed.length > 0) found.push('it failed and completed')
    found.push(...this.#ofLives(job, executions))
    return found.map((problem) => `${job.name} (${job.kind}, ${job.count}): ${problem}: ${summaryOf(answer)}`)
  }

  #ofLives(job: NetworkJob, executions: readonly WireExecution[]): string[] {
    if (!job.native) return []
    const told = new ToldLives(join(this.#marks, job.name))
    const known = new Map(executions.map((execution) => [execution.ID, execution]))
    const found: string[] = []
    for (const id of told.executionsOf('x')) {
      const execution = known.get(id)
      if (execution === undefined) {
        found.push(`${id} ran, and is on no record`)
        continue
      }
      const lives = told.of(id)
      for (const { attempt, begins } of lives)
        if (begins > 1) found.push(`attempt ${attempt} of ${id} began ${begins} times`)
      const ended = lives.some(({ ends }) => ends.includes(0))
      if (!ended || stateOf(execution) === 'Completed') continue
      const reason = execution.EndReason ?? ''
      if (SURPLUS_REASONS.has(reason)) this.surplus.push(`${id} on ${execution.NodeID} (${reason})`)
      else found.push(`${id} ran to its end, and is ${stateOf(execution)} ${reason}`)
    }
    for (const execution of executions)
      if (stateOf(execution) === 'Completed' && !told.of(execution.ID).some(({ ends }) => ends.includes(0)))
        found.push(`${execution.ID} is said to have completed, and did not`)
    return found
  }

  /** Compares what the store of a node has with what the requester knows, execution by execution. */
  async compare(name: string, store: ExecutionStore): Promise<string[]> {
    const found: string[] = []
    const here = this.executions.filter(({ NodeID }) => NodeID === name)
    for (const said of here) {
      const own = await store.getExecution(said.ID)
      const reason = said.EndReason ?? null
      // What the requester gives up ends on its node as called off, for the same reason.
      const isGivenUp = own?.state === 'Cancelled' && own.endReason === reason
      if (isGivenUp || DECIDED.has(reason ?? '') || said.ComputeState.StateType === 0) continue
      if (own === null && stateOf(said) === 'AskForBidRejected') continue
      if (own?.state !== stateOf(said) || own.endReason !== reason)
        found.push(`${said.ID} on ${name}: ${stateOf(said)} ${reason}, but ${own?.state} ${own?.endReason}`)
    }
    const known = new Set(here.map(({ ID }) => ID))
    let cursor: string | undefined
    do {
      const page = await store.listExecutions({ limit: 1000, ...(cursor === undefined ? {} : { cursor }) })
      for (const { id, state } of page.items) {
        if (!known.has(id)) found.push(`${id} on ${name} is ${state}, and the requester knows nothing of it`)
        if (!/Completed|Failed|Cancelled/.test(state)) found.push(`${id} on ${name} is still ${state}`)
      }
      cursor = page.next ?? undefined
    } while (cursor !== undefined)
    return found
  }
}

/** Returns the name of an execution's state. */
export function stateOf({ ComputeState }: WireExecution): string {
  return executionStateName(ComputeState.StateType)
}

/** Tells whether a job and all its executions have ended. */
export function isOver(answer: WireGetJobAnswer): boolean {
  return (
    /Completed|Failed|Stopped/.test(answer.Job.State.StateType) &&
    (answer.Executions?.Items ?? []).every((execution) =>
      /Completed|Failed|Cancelled|Rejected/.test(stateOf(execution)),
    )
  )
}

/** Lists the executions of a job with their ends. */
export function summaryOf({ Executions }: WireGetJobAnswer): string {
  return (Executions?.Items ?? [])
    .map(
      (execution) => `${execution.ID}@${execution.NodeID} ${stateOf(execution)} ${execution.EndReason ?? ''}`,
    )
    .join(', ')
}
