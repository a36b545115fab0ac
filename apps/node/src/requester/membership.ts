import { isStoreError, type JobStore, type KnownNode, type NodeStore } from '@saltcod/store-core'
import type { Logger } from 'pino'
import type { Handshake, LinkedStore } from '../link/link.ts'
import { LinkError } from '../link/link-error.ts'
import type { NodeProof } from '../link/node-proof.ts'
import { strangenessOf } from '../link/peer-store.ts'
import { descentOf } from '../link/store-descent.ts'
import { collectItems } from './all-items.ts'
import { detailsOf, type Nodes } from './nodes.ts'
import { Rivals } from './rivals.ts'

/** What is decided about nodes that come for the first time. */
export interface Admission {
  /** Whether they may be given work before an operator says so. */
  readonly approvesNodes: boolean
  /** A node that was heard of so lately is taken to live when another one comes with its identity. */
  readonly livesForMs: number
}

/** What a membership works with. */
export interface MembershipOptions extends Admission {
  readonly store: JobStore
  readonly nodes: Nodes
  /** The id of this node; the compute side of the same process is a member like any other, and approved. */
  readonly nodeId: string
  /** Takes whatever store a node has: it was put there on purpose. */
  readonly acceptsOthers: boolean
  readonly log: Logger
}

/**
 * How the store of a node that came stands to the one that it had: `known` goes on from it, `wiped` is another one,
 * `older` is one from before.
 */
export type StoreCondition = 'known' | 'wiped' | 'older'

/** A node that was taken in. */
export interface TakenIn {
  readonly record: KnownNode
  readonly condition: StoreCondition
}

/** A change of a node by an operator. */
export type NodeDecision = Omit<Parameters<JobStore['changeNode']>[0], 'nodeId'>

const SEEN_AT_A_TIME = 1_000
/** What was heard of a node is written down once a minute. */
const SEEN_LATE_MS = 60_000

/** Which nodes there are: reads their records once, and writes what changes about them. */
export class Membership {
  readonly #options: MembershipOptions
  #loading: Promise<void> | undefined
  readonly #rivals = new Rivals()
  /** In which opening of its store each node works that shook hands since we began. */
  readonly #holders = new Map<string, string>()
  /** What is being done about each node, after which the next thing is. */
  readonly #turns = new Map<string, Promise<unknown>>()
  readonly #leavers: ((nodeId: string) => void)[] = []

  constructor(options: MembershipOptions) {
    this.#options = options
  }

  /** Resolves when the records of all nodes were read; tried again where that failed. */
  async ready(): Promise<void> {
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = undefined
      throw error
    })
    await this.#loading
  }

  async #load(): Promise<void> {
    const { store, nodes } = this.#options
    const records = await collectItems((cursor) => store.listNodes({ limit: 1_000, cursor }))
    for (const record of records) nodes.remember(record)
  }

  /** Has somebody told of each node whose credential ends. */
  onLeave(listener: (nodeId: string) => void): void {
    this.#leavers.push(listener)
  }

  /** Returns the hash of what a node proves itself with; `null` where nothing does. */
  credentialOf(nodeId: string): string | null {
    const record = this.#options.nodes.get(nodeId)?.record
    return record === undefined || record.membership === 'rejected' ? null : record.credentialHash
  }

  /**
   * Takes a node in that has come, with the store that it has now. Returns why it is refused, as a text. Throws
   * `LINK_TAKEN` where it has to wait until it is clear whether another one of its identity lives, and `LINK_REFUSED`
   * where what it has proven is not enough. Without a proof none is asked for.
   */
  async meet(
    { node, store: found }: Pick<Handshake, 'node' | 'store'>,
    proof: NodeProof | null = null,
  ): Promise<TakenIn | string> {
    await this.ready()
    return await this.#inTurn(node.nodeId, () => this.#meet({ node, store: found }, proof))
  }

  async #meet(
    { node, store: found }: Pick<Handshake, 'node' | 'store'>,
    proof: NodeProof | null,
  ): Promise<TakenIn | string> {
    const { store, nodes, nodeId: ownId, approvesNodes } = this.#options
    const { nodeId } = node
    const known = nodes.get(nodeId)?.record ?? null
    if (proof !== null) this.#mustProve(known, proof)
    const condition = this.#judge(known, nodeId, found)
    if (condition !== 'known' && condition !== 'wiped' && condition !== 'older') return condition.refusal
    this.#rivals.settle(nodeId, found)
    this.#holders.set(nodeId, found.openings[0]?.id ?? '')
    const record = await store.recordNode({
      id: nodeId,
      labels: node.labels,
      engines: node.engines,
      details: detailsOf(node),
      version: node.release?.version ?? '',
      store: storeOf(found),
      ...(proof === null ? {} : { credentialHash: proof.credentialHash }),
      membership: approvesNodes || nodeId === ownId ? 'approved' : 'pending',
    })
    nodes.remember(record)
    return { record, condition }
  }

  /** A credential is a node's own once it has come in with a token to join, until an operator ends it. */
  #mustProve(known: KnownNode | null, { nodeId, credentialHash, joins }: NodeProof): void {
    if (nodeId === this.#options.nodeId) throw unproven(`${nodeId} is the id of the requester itself`)
    if (known?.membership === 'rejected') throw unproven(`node ${nodeId} was rejected by an operator`)
    if (known?.credentialHash === credentialHash) return
    if (!joins)
      throw new LinkError(
        'LINK_UNJOINED',
        `the credential of node ${nodeId} has ended: let it join again with a token`,
      )
    if (known === null || known.credentialHash === null) return
    throw unproven(
      `a node with the id ${nodeId} has joined with another credential: start this one with that, or delete the other (saltcod node delete ${nodeId})`,
    )
  }

  /** Does one thing after the other about a node: what was decided meanwhile counts for what comes next. */
  async #inTurn<T>(nodeId: string, body: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(nodeId)
    const turn = (async () => {
      await before?.catch(() => undefined)
      return await body()
    })()
    this.#turns.set(nodeId, turn)
    try {
      return await turn
    } finally {
      if (this.#turns.get(nodeId) === turn) this.#turns.delete(nodeId)
    }
  }

  #judge(
    known: KnownNode | null,
    nodeId: string,
    found: LinkedStore,
  ): StoreCondition | { readonly refusal: string } {
    const { acceptsOthers, nodeId: ownId, store, nodes } = this.#options
    if (known === null || acceptsOthers) return 'known'
    if (known.store === null || !store.capabilities.durable) return this.#judgeByOpening(known, found)
    if (storeOf(found) === null) return this.#isTaken(known, found) ?? 'wiped'
    const sequence = Math.max(known.store.sequence, nodes.sequenceOf(nodeId) ?? 0)
    const before: NodeStore = { ...known.store, sequence }
    const { kind } = descentOf(before, found)
    if (kind === 'descends') {
      const taken = this.#rivals.isCopy(nodeId, found) ? this.#isTaken(known, found) : null
      if (taken !== null) return taken
      this.#rivals.displace(nodeId, before.incarnation, found)
      return 'known'
    }
    if (this.#rivals.takesBack(nodeId, found, before.incarnation)) return 'known'
    // In a node with both roles one of two stores that belong together was exchanged.
    if (nodeId === ownId) {
      const strange = strangenessOf({ ...before, seenAtMs: known.lastSeenAtMs }, found)
      return { refusal: `the execution store of ${nodeId} ${strange}` }
    }
    return this.#isTaken(known, found) ?? (kind === 'other' ? 'wiped' : 'older')
  }

  /**
   * Of stores that are not compared, as those in memory, each start takes the place of the one before at once; where
   * that one is heard of all the same, both live, and the later one gives the place back.
   */
  #judgeByOpening(known: KnownNode, found: LinkedStore): 'known' | { readonly refusal: string } {
    const { id } = known
    const holder = this.#holders.get(id)
    const opening = found.openings[0]?.id
    if (holder === undefined || opening === undefined || holder === opening) return 'known'
    if (this.#rivals.takesBack(id, found, holder)) return 'known'
    const taken = this.#rivals.isCopy(id, found) ? this.#isTaken(known, found) : null
    if (taken !== null) return taken
    this.#rivals.displace(id, holder, found)
    return 'known'
  }

  /**
   * Whoever comes with the identity of a node that may live has to come again. If the other one is heard of meanwhile,
   * both live, and this one is refused; if not, it takes its place.
   */
  #isTaken({ id, lastSeenAtMs }: KnownNode, found: LinkedStore): { readonly refusal: string } | null {
    const { nodes, livesForMs } = this.#options
    const silentForMs = nodes.silentForMs(id) ?? nodes.awaitedForMs(lastSeenAtMs + SEEN_LATE_MS)
    if (silentForMs === null || silentForMs > livesForMs) return null
    if (this.#rivals.contend(id, found, nodes.touchesOf(id))) {
      const refusal = twoOf(id)
      nodes.noteRival(id, refusal)
      return { refusal }
    }
    throw new LinkError(
      'LINK_TAKEN',
      `a node with the id ${id} was here a moment ago, with another store or another branch of this one; it is waited for ${Math.ceil(livesForMs / 1000)} s whether that one still lives`,
    )
  }

  /** Writes a decision of an operator. Throws what `changeNode` of a store throws. */
  async decide(nodeId: string, decision: NodeDecision): Promise<KnownNode> {
    await this.ready()
    return await this.#inTurn(nodeId, async () => {
      const { store, nodes, log } = this.#options
      const leaves = decision.membership === 'rejected'
      // First, so that no death in between leaves a credential that counts again once the node is approved.
      if (leaves && nodes.get(nodeId)?.record.credentialHash != null) {
        nodes.remember(await store.recordNode({ id: nodeId, credentialHash: null }))
        nodes.cutOff(nodeId)
      }
      const record = await store.changeNode({ nodeId, ...decision })
      nodes.remember(record)
      if (leaves) this.#tellLeft(nodeId)
      const { membership, scheduling } = record
      log.info({ node: nodeId, membership, scheduling }, 'node was changed by an operator')
      return record
    })
  }

  /** Forgets a node and what waits to be sent to it. Throws `NODE_NOT_FOUND`. */
  async delete(nodeId: string): Promise<void> {
    await this.ready()
    await this.#inTurn(nodeId, async () => {
      const { store, nodes, log } = this.#options
      await store.deleteNode({ nodeId })
      nodes.forget(nodeId)
      this.#tellLeft(nodeId)
      log.info({ node: nodeId }, 'node was deleted by an operator')
      await this.#dropMessages(nodeId)
    })
  }

  #tellLeft(nodeId: string): void {
    for (const listener of this.#leavers) listener(nodeId)
  }

  /** Removes what waits to be sent to nodes that are not there any more. */
  async dropStrayMessages(): Promise<void> {
    await this.ready()
    const { store, nodes } = this.#options
    for (const destination of await store.outboxDestinations()) {
      if (nodes.get(destination) === null && nodes.isLost(destination)) await this.#dropMessages(destination)
    }
  }

  async #dropMessages(destination: string): Promise<void> {
    const { store } = this.#options
    const { sequence: upToSequence } = await store.info()
    await store.acknowledgeOutbox({ destination, upToSequence })
  }

  /** Writes down which nodes were heard of lately. */
  async writeSightings(): Promise<void> {
    const { store, nodes } = this.#options
    const sightings = nodes.takeSightings()
    for (let from = 0; from < sightings.length; from += SEEN_AT_A_TIME) {
      try {
        await store.seeNodes({ seen: sightings.slice(from, from + SEEN_AT_A_TIME) })
      } catch (error) {
        // What cannot be written lags behind.
        if (!isStoreError(error, 'STORE_FULL', 'RECORD_CORRUPT')) throw error
      }
    }
  }
}

function unproven(what: string): LinkError {
  return new LinkError('LINK_REFUSED', what)
}

function twoOf(id: string): string {
  return `two nodes have the id ${id}, and both live: the one that came later is refused, which has a copy of the store of the other, or another store; stop one of them for good, or start the refused one with an id of its own (--node-id) and an empty data directory`
}

/** What is in memory, or cannot tell its id, is not compared. */
function storeOf({ storeId, durable, sequence, openings: [opening] }: LinkedStore): NodeStore | null {
  if (!durable || storeId === '' || opening === undefined) return null
  return { storeId, sequence, incarnation: opening.id, firstSequence: opening.firstSequence }
}
