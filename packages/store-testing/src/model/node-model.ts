import type { JobStore, KnownNode, RecordNode } from '@saltcod/store-core'
import type { JobModelState } from './job-model-state.ts'
import { Refusal } from './refusal.ts'

type ChangeNode = Parameters<JobStore['changeNode']>[0]

/** The nodes of a job store in a plain map. */
export class NodeModel {
  readonly #state: JobModelState
  readonly #nowMs: number

  constructor(state: JobModelState, nowMs: number) {
    this.#state = state
    this.#nowMs = nowMs
  }

  record({ id, labels, version, membership = 'pending' }: RecordNode): KnownNode {
    const known = this.#state.nodes.get(id) ?? nodeOf(id, membership, this.#nowMs)
    const { ownLabels, givenLabels } = known
    const own = labels ?? ownLabels
    const said = {
      ...known,
      ownLabels: own,
      labels: { ...own, ...givenLabels },
      version: version ?? known.version,
    }
    const isSame = known.revision > 0 && said.version === known.version && sameLabels(own, ownLabels)
    return this.#put({ ...said, lastSeenAtMs: this.#nowMs, revision: known.revision + (isSame ? 0 : 1) })
  }

  see(id: string, atMs: number): void {
    const known = this.#state.nodes.get(id)
    if (known !== undefined) this.#put({ ...known, lastSeenAtMs: Math.max(atMs, known.lastSeenAtMs) })
  }

  change({
    nodeId,
    membership,
    scheduling,
    drainDeadlineAtMs,
    labels,
    message = '',
    expectedRevision,
  }: ChangeNode): KnownNode {
    const known = this.#known(nodeId, expectedRevision)
    if (membership === known.membership) throw new Refusal('STATE_CONFLICT')
    const changed = {
      ...known,
      ...(membership === undefined ? {} : { membership, membershipMessage: message }),
      ...(scheduling === undefined
        ? {}
        : { scheduling, schedulingMessage: message, drainDeadlineAtMs: null }),
    }
    if (drainDeadlineAtMs != null && changed.scheduling !== 'drained') throw new Refusal('INVALID_ARGUMENT')
    const given = { ...known.givenLabels, ...labels }
    const givenLabels = Object.fromEntries(
      Object.entries(given).filter((pair): pair is [string, string] => pair[1] !== null),
    )
    return this.#put({
      ...changed,
      ...(drainDeadlineAtMs === undefined ? {} : { drainDeadlineAtMs }),
      givenLabels,
      labels: { ...known.ownLabels, ...givenLabels },
      revision: known.revision + 1,
    })
  }

  delete(nodeId: string, expectedRevision: number | undefined): void {
    this.#known(nodeId, expectedRevision)
    this.#state.nodes.delete(nodeId)
  }

  /** Moves what somebody waits for with the clock when it is set. */
  followClock(byMs: number): void {
    for (const node of this.#state.nodes.values()) {
      const { drainDeadlineAtMs } = node
      if (drainDeadlineAtMs !== null) this.#put({ ...node, drainDeadlineAtMs: drainDeadlineAtMs + byMs })
    }
  }

  #known(id: string, expectedRevision: number | undefined): KnownNode {
    const known = this.#state.nodes.get(id)
    if (known === undefined) throw new Refusal('NODE_NOT_FOUND')
    if (expectedRevision !== undefined && expectedRevision !== known.revision)
      throw new Refusal('REVISION_CONFLICT')
    return known
  }

  #put(node: KnownNode): KnownNode {
    this.#state.nodes.set(node.id, node)
    return node
  }
}

function sameLabels(a: KnownNode['labels'], b: KnownNode['labels']): boolean {
  return JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort())
}

function nodeOf(id: string, membership: KnownNode['membership'], nowMs: number): KnownNode {
  return {
    id,
    membership,
    membershipMessage: '',
    scheduling: 'on',
    schedulingMessage: '',
    drainDeadlineAtMs: null,
    labels: {},
    ownLabels: {},
    givenLabels: {},
    engines: [],
    details: null,
    version: '',
    credentialHash: null,
    store: null,
    firstSeenAtMs: nowMs,
    lastSeenAtMs: nowMs,
    revision: 0,
  }
}
