import type { ComputePeer, NodeDescription, NodeLoad } from '../link/link.ts'
import type { NodeView } from '../wire/node-output.ts'
import { Bell } from './bell.ts'

/** A node as the requester knows it. */
export interface KnownNode extends NodeView {
  readonly peer: ComputePeer
}

/** A longer time between two looks means that this process did not run: nobody was silent then, we were deaf. */
const DEAF_MS = 10_000

/** What a requester expects of its nodes. */
export interface NodePatience {
  readonly silentAfterMs: number
  readonly lostAfterMs: number
}

/** The compute nodes that have shaken hands since this process began; they do so again after every start of theirs or ours. */
export class Nodes {
  readonly #known = new Map<string, Omit<KnownNode, 'connected'>>()
  readonly #bells = new Map<string, Bell>()
  readonly #patience: NodePatience
  readonly #clock: () => number
  #startedAtMs: number
  #lookedAtMs: number

  constructor(patience: NodePatience, clock: () => number) {
    this.#patience = patience
    this.#clock = clock
    this.#startedAtMs = clock()
    this.#lookedAtMs = this.#startedAtMs
  }

  /** Takes a node in, or takes it back. */
  register(description: NodeDescription, load: NodeLoad, peer: ComputePeer): void {
    const nowMs = this.#look()
    this.#known.set(description.nodeId, {
      description,
      load,
      peer,
      connectedAtMs: nowMs,
      lastContactMs: nowMs,
    })
  }

  /** Notes that a node was heard of, and how busy it is if it said so. */
  touch(nodeId: string, load?: NodeLoad): void {
    const nowMs = this.#look()
    const node = this.#known.get(nodeId)
    if (node === undefined) return
    this.#known.set(nodeId, {
      ...node,
      lastContactMs: nowMs,
      ...(load === undefined ? {} : { load }),
    })
  }

  /** Returns a node; `null` where none with that id has shaken hands. */
  get(nodeId: string): KnownNode | null {
    const nowMs = this.#look()
    const node = this.#known.get(nodeId)
    return node === undefined ? null : { ...node, connected: this.#isConnected(node, nowMs) }
  }

  /** Returns all nodes by id. */
  list(): KnownNode[] {
    const nowMs = this.#look()
    return [...this.#known.values()]
      .map((node) => ({ ...node, connected: this.#isConnected(node, nowMs) }))
      .toSorted((a, b) => (a.description.nodeId < b.description.nodeId ? -1 : 1))
  }

  /** Tells whether a node has been silent for so long that its work is given up; one that never came has as long from our start. */
  isLost(nodeId: string): boolean {
    const nowMs = this.#look()
    const lastContactMs = this.#known.get(nodeId)?.lastContactMs ?? this.#startedAtMs
    return nowMs - lastContactMs > this.#patience.lostAfterMs
  }

  /** Returns the bell that rings when commands for a node were written. */
  bell(nodeId: string): Bell {
    const bell = this.#bells.get(nodeId) ?? new Bell()
    this.#bells.set(nodeId, bell)
    return bell
  }

  #isConnected(node: { readonly lastContactMs: number }, nowMs: number): boolean {
    return nowMs - node.lastContactMs <= this.#patience.silentAfterMs
  }

  /** Returns the time, after taking note of how long this process was asleep. */
  #look(): number {
    const nowMs = this.#clock()
    const deafMs = nowMs - this.#lookedAtMs
    this.#lookedAtMs = nowMs
    if (deafMs <= DEAF_MS) return nowMs
    this.#startedAtMs += deafMs
    for (const [id, node] of this.#known) {
      this.#known.set(id, { ...node, lastContactMs: node.lastContactMs + deafMs })
    }
    return nowMs
  }
}
