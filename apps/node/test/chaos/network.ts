import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { executionStateName, type WireExecution, type WireGetJobAnswer } from '@saltcod/bacalhau-records'
import { openLmdbExecutionStore, openLmdbJobStore } from '@saltcod/store-lmdb'
import { eventually, until } from '../../../../test/eventually.ts'
import { Cable } from '../link/cable.ts'
import { AttackedNode } from './attacked-node.ts'
import type { NetworkJob } from './network-jobs.ts'
import { storePaths } from './stores-of.ts'
import { ToldLives } from './told-lives.ts'

/** How long one cut lasts at least and at most, and after how long a node counts as lost. */
export interface NetworkPace {
  readonly cutMs: readonly [number, number]
  readonly lostAfter: string
}

interface Leaf {
  readonly name: string
  readonly node: AttackedNode
  readonly cable: Cable
}

/** What happened to an execution although it had come to its end: it may be done once more elsewhere. */
const SURPLUS_REASONS: ReadonlySet<string> = new Set(['node-lost', 'record-lost', 'interrupted'])
/** Ends that the requester decides, whatever its node knows of it. */
const DECIDED: ReadonlySet<string> = new Set([
  'node-lost',
  'record-lost',
  'stopped',
  'replaced',
  'surplus',
  'drained',
])

/** A requester and compute nodes as processes, with a cable between the former and each of the latter. */
export class Network {
  readonly requester: AttackedNode
  readonly leaves: readonly Leaf[]
  readonly marks: string
  readonly events: string[] = []
  readonly jobs = new Map<string, { readonly job: NetworkJob; id: string | undefined }>()
  readonly #random: () => number
  readonly #pace: NetworkPace
  readonly #directory: string

  constructor(directory: string, nodes: number, pace: NetworkPace, random: () => number) {
    this.#random = random
    this.#pace = pace
    this.#directory = directory
    this.marks = join(directory, 'marks')
    mkdirSync(this.marks)
    this.requester = new AttackedNode(join(directory, 'requester'), ['--node-type', 'requester'], {
      Link: { SilentAfter: '1s', LostAfter: pace.lostAfter },
      Recovery: { Interruptions: { Limit: 1_000, Backoff: '50ms', MaxBackoff: '500ms' } },
      Services: { Reschedule: { Delay: '50ms', MaxDelay: '500ms', Unlimited: true } },
    })
    this.leaves = Array.from({ length: nodes }, (_, index) => {
      const name = `n-${index + 1}`
      const cable = new Cable(random)
      cable.faults = { drop: 0.04, twice: 0.04, delayMs: 20 }
      return { name, cable, node: undefined as never }
    })
  }

  /** Starts everything. */
  async start(): Promise<void> {
    await this.#startRequester()
    for (const leaf of this.leaves) {
      const address = await leaf.cable.start()
      const flags = [
        '--node-type',
        'compute',
        '--node-id',
        leaf.name,
        '--allow-exec',
        '--orchestrators',
        address,
      ]
      const node = new AttackedNode(join(this.#directory, leaf.name), flags, {
        Link: { Heartbeat: '250ms' },
        Node: { Compute: { Capacity: { CPU: 4 } } },
      })
      Object.assign(leaf, { node })
    }
    await Promise.all(this.leaves.map(({ node }) => node.start()))
  }

  async #startRequester(): Promise<void> {
    await this.requester.start()
    const url = await this.requester.url()
    for (const { cable } of this.leaves) cable.target = url
  }

  /** Submits a job; one that is known already is asked for again. */
  async submit(job: NetworkJob): Promise<void> {
    const entry = this.jobs.get(job.name) ?? { job, id: undefined }
    this.jobs.set(job.name, entry)
    entry.id = await this.requester.submit(job.spec, job.name)
  }

  /** Kills one process and starts it again, or cuts one cable and mends it. */
  async strike(): Promise<void> {
    const at = Math.floor(this.#random() * (this.leaves.length * 2 + 1))
    const leaf = this.leaves[at % this.leaves.length] as Leaf
    const [least, most] = this.#pace.cutMs
    const lastsMs = least + this.#random() * (most - least)
    if (at === this.leaves.length * 2) {
      this.events.push('the requester was killed')
      await this.requester.kill()
      await this.#startRequester()
    } else if (at < this.leaves.length) {
      this.events.push(`${leaf.name} was killed`)
      await leaf.node.kill()
      await delay(this.#random() * 300)
      await leaf.node.start()
    } else {
      this.events.push(`${leaf.name} was cut off for ${Math.round(lastsMs)} ms`)
      leaf.cable.cut()
      await delay(lastsMs)
      leaf.cable.mend()
    }
  }

  /** Lets everything come to its end without further harm, and returns what is wrong then. */
  async settle(): Promise<string[]> {
    for (const { cable } of this.leaves) {
      cable.mend()
      cable.faults = { drop: 0, twice: 0, delayMs: 0 }
    }
    const found: string[] = []
    const executions: WireExecution[] = []
    for (const entry of this.jobs.values()) {
      if (entry.id === undefined) await this.submit(entry.job)
      const answer = await this.#settled(entry.job, entry.id ?? '')
      executions.push(...(answer.Executions?.Items ?? []))
      found.push(...this.#problems(entry.job, answer))
    }
    await this.#calm()
    return [...found, ...(await this.#differences(executions))]
  }

  /** What the requester has given up, its node is told to stop, and does when it has heard that. */
  async #calm(): Promise<void> {
    for (const { name, node } of this.leaves) {
      const path = join(node.repository, `${name}-compute`, 'executions.db')
      const store = await openLmdbExecutionStore({ path, readOnly: true })
      const inProgress = async (): Promise<number> =>
        (await store.listExecutions({ inProgress: true, limit: 1000 })).items.length
      try {
        // What goes on is named, with its execution, where the stores are compared.
        await until(inProgress, (count) => count === 0).catch(() => undefined)
      } finally {
        await store.close()
      }
    }
  }

  async #settled(job: NetworkJob, id: string): Promise<WireGetJobAnswer> {
    let answer = await this.requester.job(id)
    const said = (): string =>
      `${job.name} (${job.kind}, ${job.count}) settles; it is ${JSON.stringify(answer.Job.State)}: ${summary(answer)}`
    await eventually(
      said,
      async () => {
        answer = await this.requester.job(id)
        return job.end === 'goes on' ? this.#serves(job, answer) : isOver(answer)
      },
      90_000,
    )
    if (job.end !== 'goes on') return answer
    const { status } = await this.requester.request('DELETE', `orchestrator/jobs/${id}`)
    assert.equal(status, 200)
    await eventually(said, async () => {
      answer = await this.requester.job(id)
      return isOver(answer)
    })
    return answer
  }

  #serves({ type, count }: NetworkJob, answer: WireGetJobAnswer): boolean {
    const running = (answer.Executions?.Items ?? []).filter((execution) => stateOf(execution) === 'Running')
    if (type === 'service') return running.length === count
    return new Set(running.map(({ NodeID }) => NodeID)).size === this.leaves.length
  }

  #problems(job: NetworkJob, answer: WireGetJobAnswer): string[] {
    const executions = answer.Executions?.Items ?? []
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
    return found.map((problem) => `${job.name} (${job.kind}, ${job.count}): ${problem}: ${summary(answer)}`)
  }

  #ofLives(job: NetworkJob, executions: readonly WireExecution[]): string[] {
    if (!job.native) return []
    const told = new ToldLives(join(this.marks, job.name))
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
      const reason = execution.EndReason ?? ''
      if (ended && stateOf(execution) !== 'Completed' && !SURPLUS_REASONS.has(reason))
        found.push(`${id} ran to its end, and is ${stateOf(execution)} ${reason}`)
    }
    for (const execution of executions)
      if (stateOf(execution) === 'Completed' && !told.of(execution.ID).some(({ ends }) => ends.includes(0)))
        found.push(`${execution.ID} is said to have completed, and did not`)
    return found
  }

  /** Compares what both sides have stored, and checks the stores. */
  async #differences(executions: readonly WireExecution[]): Promise<string[]> {
    const found: string[] = []
    const jobs = await openLmdbJobStore({ path: storePaths(this.requester.repository).jobs, readOnly: true })
    try {
      found.push(...(await jobs.check()).findings.map((finding) => `jobs: ${JSON.stringify(finding)}`))
    } finally {
      await jobs.close()
    }
    for (const { name, node } of this.leaves) {
      const path = join(node.repository, `${name}-compute`, 'executions.db')
      const store = await openLmdbExecutionStore({ path, readOnly: true })
      try {
        found.push(...(await store.check()).findings.map((finding) => `${name}: ${JSON.stringify(finding)}`))
        for (const said of executions.filter(({ NodeID }) => NodeID === name)) {
          const own = await store.getExecution(said.ID)
          const reason = said.EndReason ?? null
          if (DECIDED.has(reason ?? '') || said.ComputeState.StateType === 0) continue
          if (own === null && stateOf(said) === 'AskForBidRejected') continue
          if (own?.state !== stateOf(said) || own.endReason !== reason)
            found.push(
              `${said.ID} on ${name}: ${stateOf(said)} ${reason}, but ${own?.state} ${own?.endReason}`,
            )
        }
        const left = await store.listExecutions({ inProgress: true, limit: 1000 })
        for (const { id, state } of left.items) found.push(`${id} on ${name} is still ${state}`)
      } finally {
        await store.close()
      }
    }
    return found
  }
}

function stateOf({ ComputeState }: WireExecution): string {
  return executionStateName(ComputeState.StateType)
}

function isOver(answer: WireGetJobAnswer): boolean {
  return (
    /Completed|Failed|Stopped/.test(answer.Job.State.StateType) &&
    (answer.Executions?.Items ?? []).every((execution) =>
      /Completed|Failed|Cancelled|Rejected/.test(stateOf(execution)),
    )
  )
}

function summary({ Executions }: WireGetJobAnswer): string {
  return (Executions?.Items ?? [])
    .map(
      (execution) => `${execution.ID}@${execution.NodeID} ${stateOf(execution)} ${execution.EndReason ?? ''}`,
    )
    .join(', ')
}
