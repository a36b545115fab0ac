import type { NodeDescription, NodeLoad } from '../../link/link.ts'
import type { NodeClosing } from '../scheduler/view.ts'
import { type Holder, NodeRoom } from './node-room.ts'

/** What is known of a node beside what it does. */
export interface KnownNode {
  readonly description: NodeDescription
  readonly load: NodeLoad
  readonly closing: NodeClosing | null
}

/** The nodes, and who holds what of which. */
export class NodeRooms {
  readonly #passed: () => number
  readonly #byId = new Map<string, NodeRoom>()
  readonly #ofHolder = new Map<string, NodeRoom>()
  #list: readonly NodeRoom[] = []
  #version = 0

  /** `passed` tells the time that passes. */
  constructor(passed: () => number) {
    this.#passed = passed
  }

  /** The nodes, by id; another list after each change of what they are or why they are closed. */
  get list(): readonly NodeRoom[] {
    return this.#list
  }

  /** How often the list was another one. */
  get version(): number {
    return this.#version
  }

  /** Returns a node; `undefined` where it is not known. */
  get(nodeId: string): NodeRoom | undefined {
    return this.#byId.get(nodeId)
  }

  /**
   * Takes in what nodes are and why they are closed. Returns those that take new work and did not before, or are
   * something else now. Nodes that are not named any more are forgotten.
   */
  refresh(known: readonly KnownNode[]): readonly NodeRoom[] {
    const opened: NodeRoom[] = []
    const gone = new Set(this.#byId.keys())
    let isOther = false
    for (const { description, load, closing } of known) {
      gone.delete(description.nodeId)
      const there = this.#byId.get(description.nodeId)
      const room = there ?? this.#add(description, load)
      room.load = load
      if (room.description !== description) room.describe(description)
      else if (there?.closing === closing) continue
      isOther = true
      if (closing === null) opened.push(room)
      room.closing = closing
      if (closing !== null) room.keptFor = null
    }
    for (const nodeId of gone) this.#remove(nodeId)
    if (!isOther && gone.size === 0) return opened
    this.#version += 1
    this.#list = [...this.#byId.values()].toSorted((a, b) =>
      a.description.nodeId < b.description.nodeId ? -1 : 1,
    )
    return opened
  }

  /** Notes that somebody holds a part of a node, if it holds nothing yet. */
  hold(room: NodeRoom, holder: Holder): void {
    if (this.#ofHolder.has(holder.id)) return
    this.#ofHolder.set(holder.id, room)
    room.hold(holder)
  }

  /** Takes back what somebody held. Returns of which node; `null` where it held nothing. */
  release(id: string): NodeRoom | null {
    const room = this.#ofHolder.get(id)
    if (room === undefined) return null
    this.#ofHolder.delete(id)
    room.release(id)
    return room
  }

  #add(description: NodeDescription, load: NodeLoad): NodeRoom {
    // Closed, so that whoever opens it sees that it was not there.
    const room = new NodeRoom({ description, load }, 'lost', this.#passed)
    this.#byId.set(description.nodeId, room)
    return room
  }

  #remove(nodeId: string): void {
    const room = this.#byId.get(nodeId)
    if (room === undefined) return
    room.closing = 'lost'
    this.#byId.delete(nodeId)
    for (const { id } of room.holders) this.#ofHolder.delete(id)
  }
}
