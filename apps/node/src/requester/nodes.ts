import type { NodeDescription, NodeLoad } from '../link/link.ts'
import { EventCount } from '../waiting/event-count.ts'
import type { NodeView } from '../wire/node-output.ts'

/** A longer time between two looks means that this process did not run: nobody was silent then, we were deaf. */
const DEAF_MS = 10_000

/** What is known of a node, and when it was heard of last by the time that passes. */
type Contact = Omit<NodeView, 'connected'> & { readonly heardAtMs: number }

/** What a requester expects of its nodes. */
export interface NodePatience {
  readonly silentAfterMs: number
  readonly lostAfterMs: number
}

/**
 * The compute nodes that have shaken hands since this process began; they do so again after every start of theirs or
 * ours.
 */
export class Nodes {
  readonly #known = new Map<string, Contact>()
  readonly #commands = new Map<string, EventCount>()
  readonly #patience: NodePatience
  readonly #clock: () => number
  readonly #passed: () => number
  #joins = 0
  /** When those that never came are taken to have been heard of. */
  #heardAtMs: number
  #lookedAtMs: number

  /** `passed` tells the time that passes: how long a node has been silent does not change when the clock is set. */
  constructor(patience: NodePatience, clock: () => number, passed: () => number) {
    this.#patience = patience
    this.#clock = clock
    this.#passed = passed
    this.#heardAtMs = passed()
    this.#lookedAtMs = this.#heardAtMs
  }

  /** Takes a node in, or takes it back. */
  register(description: NodeDescription, load: NodeLoad): void {
    const heardAtMs = this.#look()
    const nowMs = this.#clock()
    this.#joins += 1
    this.#known.set(description.nodeId, {
      description,
      load,
      connectedAtMs: nowMs,
      lastContactMs: nowMs,
      heardAtMs,
    })
  }

  /** How often nodes were taken in. */
  get joins(): number {
    return this.#joins
  }

  /** Notes that a node was heard of, and how busy it is if it said so. */
  touch(nodeId: string, load?: NodeLoad): void {
    const heardAtMs = this.#look()
    const node = this.#known.get(nodeId)
    if (node === undefined) return
    this.#known.set(nodeId, {
      ...node,
      lastContactMs: this.#clock(),
      heardAtMs,
      ...(load === undefined ? {} : { load }),
    })
  }

  /** Returns a node; `null` where none with that id has shaken hands. */
  get(nodeId: string): NodeView | null {
    const passedMs = this.#look()
    const contact = this.#known.get(nodeId)
    return contact === undefined ? null : this.#view(contact, passedMs)
  }

  /** Returns all nodes by id. */
  list(): NodeView[] {
    const passedMs = this.#look()
    return [...this.#known.values()]
      .map((contact) => this.#view(contact, passedMs))
      .toSorted((a, b) => (a.description.nodeId < b.description.nodeId ? -1 : 1))
  }

  /**
   * Tells whether a node has been silent for so long that its work is given up; one that never came has as long from
   * our start.
   */
  isLost(nodeId: string): boolean {
    const passedMs = this.#look()
    const heardAtMs = this.#known.get(nodeId)?.heardAtMs ?? this.#heardAtMs
    return passedMs - heardAtMs > this.#patience.lostAfterMs
  }

  /** Counts the times when commands for a node were written. */
  commandsFor(nodeId: string): EventCount {
    const count = this.#commands.get(nodeId) ?? new EventCount()
    this.#commands.set(nodeId, count)
    return count
  }

  #view({ heardAtMs, ...node }: Contact, passedMs: number): NodeView {
    return { ...node, connected: passedMs - heardAtMs <= this.#patience.silentAfterMs }
  }

  /** Returns how much time has passed, after taking note of how long this process was asleep. */
  #look(): number {
    const passedMs = this.#passed()
    const deafMs = passedMs - this.#lookedAtMs
    this.#lookedAtMs = passedMs
    if (deafMs <= DEAF_MS) return passedMs
    this.#heardAtMs += deafMs
    for (const [id, contact] of this.#known) {
      this.#known.set(id, { ...contact, heardAtMs: contact.heardAtMs + deafMs })
    }
    return passedMs
  }
}
