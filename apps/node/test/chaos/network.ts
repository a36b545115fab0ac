import assert from 'node:assert/strict'
import { copyFileSync, cpSync, lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { WireGetJobAnswer, WireNodeState } from '@saltcod/bacalhau-records'
import { openLmdbExecutionStore, openLmdbJobStore } from '@saltcod/store-lmdb'
import { eventually, until } from '../../../../test/eventually.ts'
import type { NewTokenAnswer } from '../../src/access/token-answer.ts'
import { Cable } from '../link/cable.ts'
import type { CableEnd } from '../link/cable-end.ts'
import { SecureCable } from '../link/secure-cable.ts'
import { AttackedNode } from './attacked-node.ts'
import type { NetworkJob } from './network-jobs.ts'
import { isOver, NetworkVerdict, stateOf, summaryOf } from './network-verdict.ts'
import { storePaths } from './stores-of.ts'

const LAST_OF_LOG = 4_000
const LAST_OF_HISTORY = 20

/** How long one cut lasts at least and at most, and after how long a node counts as lost. */
export interface NetworkPace {
  readonly cutMs: readonly [number, number]
  readonly silentAfter: string
  readonly lostAfter: string
  /** How long each job may take to come to its end after the last strike. */
  readonly settleMs: number
}

/** A compute node with its cable. */
export interface Leaf {
  readonly name: string
  readonly node: AttackedNode
  readonly cable: CableEnd
}

/** A requester and compute nodes as processes, with a cable between the former and each of the latter. */
export class Network {
  readonly requester: AttackedNode
  readonly leaves: readonly Leaf[]
  readonly marks: string
  readonly events: string[] = []
  readonly verdict: NetworkVerdict
  readonly jobs = new Map<string, { readonly job: NetworkJob; id: string | undefined }>()
  readonly #struck = new Map<AttackedNode | CableEnd, Promise<void>>()
  readonly #random: () => number
  readonly #pace: NetworkPace
  readonly #directory: string
  readonly #guarded: boolean

  /** One that is guarded has nodes that join by a token and speak TLS. */
  constructor(directory: string, nodes: number, pace: NetworkPace, random: () => number, guarded = false) {
    this.#guarded = guarded
    this.#random = random
    this.#pace = pace
    this.#directory = directory
    this.marks = join(directory, 'marks')
    mkdirSync(this.marks)
    this.verdict = new NetworkVerdict(this.marks)
    const guard = guarded ? ['--tls', 'auto', '--require-tokens'] : []
    this.requester = new AttackedNode(join(directory, 'requester'), ['--node-type', 'requester', ...guard], {
      Link: { SilentAfter: pace.silentAfter, LostAfter: pace.lostAfter },
      Recovery: { Interruptions: { Limit: 1_000, Backoff: '50ms', MaxBackoff: '500ms' } },
      Services: { Reschedule: { Delay: '50ms', MaxDelay: '500ms', Unlimited: true } },
    })
    this.leaves = Array.from({ length: nodes }, (_, index) => {
      const name = `n-${index + 1}`
      const cable = guarded ? new SecureCable(random) : new Cable(random)
      cable.faults = { drop: 0.04, twice: 0.04, delayMs: 20 }
      return { name, cable, node: undefined as never }
    })
  }

  /** Starts everything. */
  async start(): Promise<void> {
    await this.#startRequester()
    const joining = this.#guarded ? ['--join-token', await this.#joinToken()] : []
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
        ...joining,
      ]
      const node = new AttackedNode(join(this.#directory, leaf.name), flags, {
        Link: { Heartbeat: '250ms' },
        Node: { Compute: { Capacity: { CPU: 4 } } },
      })
      Object.assign(leaf, { node })
    }
    await Promise.all(this.leaves.map(({ node }) => node.start()))
    // Who has never met the other side does not notice that it is another one.
    const areConnected = async (): Promise<boolean> => {
      const response = await this.requester.request('GET', 'orchestrator/nodes')
      const { Nodes } = (await response.json()) as { readonly Nodes: readonly WireNodeState[] }
      return Nodes.filter(({ Connection }) => Connection === 'CONNECTED').length === this.leaves.length
    }
    await eventually('all nodes are connected', areConnected, this.#pace.settleMs)
  }

  async #joinToken(): Promise<string> {
    const response = await this.requester.request('POST', 'saltcod/tokens', { Role: 'node' })
    const { Token } = (await response.json()) as NewTokenAnswer
    const path = join(this.#directory, 'join.token')
    writeFileSync(path, Token, { mode: 0o600 })
    return path
  }

  async #startRequester(...flags: readonly string[]): Promise<void> {
    await this.requester.start(...flags)
    const url = await this.requester.url()
    for (const { cable } of this.leaves) cable.target = url
  }

  /** Submits a job; one that is known already is asked for again. */
  async submit(job: NetworkJob): Promise<void> {
    const entry = this.jobs.get(job.name) ?? { job, id: undefined }
    this.jobs.set(job.name, entry)
    entry.id = await this.requester.submit(job.spec, job.name)
  }

  /** Copies the store of the requester while it is down for a moment. */
  async backUp(): Promise<void> {
    await this.#struck.get(this.requester)
    await this.requester.kill()
    copyFileSync(storePaths(this.requester.repository).jobs, join(this.#directory, 'backup.db'))
    await this.#startRequester()
  }

  /** Puts the copy in the place of the store. Jobs that were submitted since have to be submitted again. */
  async restore(): Promise<void> {
    await this.#struck.get(this.requester)
    await this.requester.kill()
    const { jobs } = storePaths(this.requester.repository)
    rmSync(jobs)
    copyFileSync(join(this.#directory, 'backup.db'), jobs)
    await this.#startRequester('--accept-stores')
    for (const entry of this.jobs.values()) {
      const { status } = await this.requester.request('GET', `orchestrator/jobs/${entry.id ?? 'none'}`)
      if (status === 404) entry.id = undefined
    }
  }

  /** Has a node lose all that it remembers. */
  async wipe({ name, node }: Leaf): Promise<void> {
    await this.#struck.get(node)
    await node.kill()
    rmSync(join(node.repository, `${name}-compute`), { recursive: true })
    await node.start('--fresh')
  }

  /** Copies all of a node while it is down for a moment, and starts the copy beside it. */
  async copy({ name, node, cable }: Leaf): Promise<AttackedNode> {
    await this.#struck.get(node)
    await node.kill()
    const repository = join(this.#directory, `copy-of-${name}`)
    cpSync(node.repository, repository, { recursive: true, filter: (path) => !lstatSync(path).isSocket() })
    await node.start()
    const flags = ['--node-type', 'compute', '--node-id', name, '--allow-exec', '--orchestrators']
    const copy = new AttackedNode(repository, [...flags, cable.address()], {
      Link: { Heartbeat: '250ms' },
    })
    await copy.start()
    return copy
  }

  /** Begins to kill and start again one process, or to cut and mend one cable, of those that are whole now. */
  strike(): void {
    const whole = [this.requester, ...this.leaves.flatMap(({ node, cable }) => [node, cable])].filter(
      (part) => !this.#struck.has(part),
    )
    const part = whole[Math.floor(this.#random() * whole.length)]
    if (part === undefined) return
    const [least, most] = this.#pace.cutMs
    const name = this.leaves.find(({ node, cable }) => part === node || part === cable)?.name ?? 'requester'
    const lastsMs = Math.round(
      part instanceof AttackedNode ? this.#random() * 300 : least + this.#random() * (most - least),
    )
    this.events.push(
      part instanceof AttackedNode ? `${name} was killed` : `${name} was cut off for ${lastsMs} ms`,
    )
    this.#struck.set(
      part,
      this.#harm(part, lastsMs).finally(() => this.#struck.delete(part)),
    )
  }

  async #harm(part: AttackedNode | CableEnd, lastsMs: number): Promise<void> {
    if (!(part instanceof AttackedNode)) {
      part.cut()
      await delay(lastsMs)
      part.mend()
      return
    }
    await part.kill()
    await delay(lastsMs)
    const beginMs = performance.now()
    await (part === this.requester ? this.#startRequester() : part.start())
    // It lives for as long as its start took, at least, so that a busy machine sees work between two deaths.
    await delay(Math.max(this.#pace.cutMs[0], performance.now() - beginMs))
  }

  /** Lets everything come to its end without further harm, and returns what is wrong then. */
  async settle(): Promise<string[]> {
    await Promise.all(this.#struck.values())
    for (const { cable } of this.leaves) {
      cable.faults = { drop: 0, twice: 0, delayMs: 0 }
    }
    const found: string[] = []
    for (const entry of this.jobs.values()) {
      if (entry.id === undefined) await this.submit(entry.job)
      const answer = await this.#settled(entry.job, entry.id ?? '')
      found.push(...this.verdict.judge(entry.job, answer))
    }
    await this.#calm()
    return [...found, ...(await this.#differences())]
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
      `${job.name} (${job.kind}, ${job.count}) settles; it is ${JSON.stringify(answer.Job.State)}: ${summaryOf(answer)}`
    const settles = async (isSettled: () => boolean): Promise<void> => {
      const look = async (): Promise<boolean> => {
        answer = await this.requester.job(id)
        return isSettled()
      }
      try {
        await eventually(said, look, this.#pace.settleMs)
      } catch (error) {
        throw new Error(`${String(error)}\n${await this.#whatIsKnown(answer)}`, { cause: error })
      }
    }
    await settles(() => (job.end === 'goes on' ? this.#serves(job, answer) : isOver(answer)))
    if (job.end !== 'goes on') return answer
    const { status } = await this.requester.request('DELETE', `orchestrator/jobs/${id}`)
    assert.equal(status, 200)
    await settles(() => isOver(answer))
    return answer
  }

  /** What both sides know of a job that does not settle, and what the nodes logged last. */
  async #whatIsKnown({ Job, History }: WireGetJobAnswer): Promise<string> {
    const told = async (node: AttackedNode, path: string): Promise<string> =>
      await node.request('GET', path).then(
        (response) => response.text(),
        (error: unknown) => String(error),
      )
    const sides = await Promise.all(
      this.leaves.map(async ({ name, node }) => {
        const [link, why] = [await told(node, 'saltcod/link'), await told(node, `saltcod/why/${Job.ID}`)]
        return `${name}: ${link}\n${why}\n${node.log.slice(-LAST_OF_LOG)}`
      }),
    )
    return [
      await told(this.requester, `saltcod/why/${Job.ID}`),
      JSON.stringify(History?.Items?.slice(-LAST_OF_HISTORY)),
      this.requester.log.slice(-LAST_OF_LOG),
      ...sides,
    ].join('\n')
  }

  #serves({ type, count }: NetworkJob, answer: WireGetJobAnswer): boolean {
    const running = (answer.Executions?.Items ?? []).filter((execution) => stateOf(execution) === 'Running')
    if (type === 'service') return running.length === count
    return new Set(running.map(({ NodeID }) => NodeID)).size === this.leaves.length
  }

  /** Compares what both sides have stored, and checks the stores. */
  async #differences(): Promise<string[]> {
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
        found.push(...(await this.verdict.compare(name, store)))
      } finally {
        await store.close()
      }
    }
    return found
  }
}
