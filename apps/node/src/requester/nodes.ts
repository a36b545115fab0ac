import type { Json, KnownNode } from '@saltcod/store-core'
import type { NodeDescription, NodeLoad, Orphans } from '../link/link.ts'
import { EventCount } from '../waiting/event-count.ts'
import type { NodeView } from '../wire/node-output.ts'
import type { DrainedNode } from './scheduler/view.ts'

/** A longer time between two looks means that this process did not run: nobody was silent then, we were deaf. */
const DEAF_MS = 10_000
/** One that is refused asks again every few seconds. */
const RIVAL_SHOWN_MS = 60_000
/** Within this a node that is back has told what happened meanwhile. */
const BACK_MS = 30_000

/** When a node was heard of last, and what it said then. */
interface Contact {
  readonly description: NodeDescription
  readonly load: NodeLoad
  readonly connectedAtMs: number
  readonly lastContactMs: number
  /** By the time that passes, as all that follows. */
  readonly heardAtMs: number
  /** When it came, or was heard after a silence. */
  readonly backAtMs: number
  /** How far its store had come; `null` where it has not said. */
  readonly sequence: number | null
  /** How often it was heard of. */
  readonly touches: number
  /** Executions on it that we do not know; `null` where it names none. */
  readonly orphans: Orphans | null
}

/** What a node says of itself while it works; what is absent stays. */
export interface Told {
  readonly load?: NodeLoad
  readonly sequence?: number
  readonly orphans?: Orphans | null
}

/** What a requester expects of its nodes. */
export interface NodePatience {
  readonly silentAfterMs: number
  readonly lostAfterMs: number
}

/** When a node was heard of, for its record. */
export interface Sighting {
  readonly id: string
  readonly atMs: number
  readonly sequence?: number
}

const NO_CAPACITY = { cpu: 0, memoryBytes: 0, diskBytes: 0, gpu: 0 }
const NO_LOAD: NodeLoad = { available: NO_CAPACITY, runningExecutions: 0, enqueuedExecutions: 0, heldBack: 0 }

/**
 * The compute nodes: what the store remembers of each, and what was heard of them since this process began. They shake
 * hands again after every start of theirs or ours.
 */
export class Nodes {
  readonly #records = new Map<string, KnownNode>()
  readonly #contacts = new Map<string, Contact>()
  /** Those that were heard of since their sightings were taken. */
  readonly #seen = new Set<string>()
  /** Those that are shaking hands: they are heard, and what they have is not sorted out yet. */
  readonly #coming = new Set<string>()
  /** Those that were said to be lost for their silence. */
  readonly #lost = new Set<string>()
  /** Those whose credential has ended: they are cut off, and nothing is heard of them until they join again. */
  readonly #cutOff = new Set<string>()
  /** Why work is given up on nodes that were deleted since this process began. */
  readonly #deleted = new Set<string>()
  /** Who was refused because another node of that id lives. */
  readonly #rivals = new Map<string, { readonly message: string; readonly atMs: number }>()
  readonly #commands = new Map<string, EventCount>()
  /** What each node is by now; the same object until something of it changes. */
  readonly #descriptions = new Map<string, NodeDescription>()
  readonly #patience: NodePatience
  readonly #clock: () => number
  readonly #passed: () => number
  readonly #beganAtMs: number
  /** When those that never came are taken to have been heard of. */
  #heardAtMs: number
  #lookedAtMs: number

  /** `passed` tells the time that passes: how long a node has been silent does not change when the clock is set. */
  constructor(patience: NodePatience, clock: () => number, passed: () => number) {
    this.#patience = patience
    this.#clock = clock
    this.#passed = passed
    this.#beganAtMs = clock()
    this.#heardAtMs = passed()
    this.#lookedAtMs = this.#heardAtMs
  }

  /**
   * Counts the times when something has changed of which nodes there are, what they are, or what they may be given.
   * Whoever has been told that a node is lost finds it counted; that one has fallen silent is not.
   */
  readonly changes: EventCount = new EventCount()

  /** Takes in what the store remembers of a node. */
  remember(record: KnownNode): void {
    this.#records.set(record.id, record)
    this.#deleted.delete(record.id)
    this.#change(record.id)
  }

  /** Forgets a node: what it was given to do is given up. */
  forget(nodeId: string): void {
    this.#records.delete(nodeId)
    this.#contacts.delete(nodeId)
    this.#seen.delete(nodeId)
    this.#rivals.delete(nodeId)
    this.#cutOff.delete(nodeId)
    this.#deleted.add(nodeId)
    this.#change(nodeId)
  }

  /** Notes that the credential of a node has ended, until it shakes hands by another one. */
  cutOff(nodeId: string): void {
    this.#cutOff.add(nodeId)
    this.#change(nodeId)
  }

  /**
   * Notes that a node begins to shake hands, until what is returned is called: nothing of it is given up meanwhile.
   */
  beginComing(nodeId: string): () => void {
    this.#coming.add(nodeId)
    return () => {
      this.#coming.delete(nodeId)
    }
  }

  /** Notes that a node that is remembered has shaken hands, and whether it is to tell of work. */
  register(description: NodeDescription, load: NodeLoad, hasWork = false): void {
    const heardAtMs = this.#look()
    const nowMs = this.#clock()
    this.#cutOff.delete(description.nodeId)
    this.#contacts.set(description.nodeId, {
      description,
      load,
      connectedAtMs: nowMs,
      lastContactMs: nowMs,
      heardAtMs,
      backAtMs: hasWork ? heardAtMs : Number.NEGATIVE_INFINITY,
      sequence: null,
      touches: 0,
      orphans: null,
    })
    this.#change(description.nodeId)
  }

  /** Notes that a node was heard of, and what it said. */
  touch(nodeId: string, told: Told = {}): void {
    const heardAtMs = this.#look()
    const contact = this.#contacts.get(nodeId)
    if (contact === undefined) return
    this.#seen.add(nodeId)
    const wasSilent = heardAtMs - contact.heardAtMs > this.#patience.silentAfterMs
    this.#contacts.set(nodeId, {
      ...contact,
      lastContactMs: this.#clock(),
      heardAtMs,
      ...(wasSilent ? { backAtMs: heardAtMs } : {}),
      touches: contact.touches + 1,
      ...told,
    })
    if (wasSilent) this.changes.advance()
  }

  /** Returns which nodes were heard of since the last call. */
  takeSightings(): Sighting[] {
    const sightings = [...this.#seen].flatMap((id) => {
      const contact = this.#contacts.get(id)
      if (contact === undefined) return []
      const { lastContactMs: atMs, sequence } = contact
      return [{ id, atMs, ...(sequence === null ? {} : { sequence }) }]
    })
    this.#seen.clear()
    return sightings
  }

  /** Returns how far a node's store had come when it said so last; `null` where it has not since we began. */
  sequenceOf(nodeId: string): number | null {
    return this.#contacts.get(nodeId)?.sequence ?? null
  }

  /** Returns how often a node was heard of since it shook hands. */
  touchesOf(nodeId: string): number {
    return this.#contacts.get(nodeId)?.touches ?? 0
  }

  /** Returns for how long a node has been silent; `null` where it was not heard of since we began. */
  silentForMs(nodeId: string): number | null {
    const passedMs = this.#look()
    const contact = this.#contacts.get(nodeId)
    return contact === undefined ? null : passedMs - contact.heardAtMs
  }

  /**
   * Returns for how long a node is waited for that is not heard of since we began, and was there until a time on the
   * clock; `null` where it had been gone before we began.
   */
  awaitedForMs(untilMs: number): number | null {
    return untilMs < this.#beganAtMs ? null : this.#look() - this.#heardAtMs
  }

  /** Notes that a node was refused because another one of that id lives. */
  noteRival(nodeId: string, message: string): void {
    this.#rivals.set(nodeId, { message, atMs: this.#look() })
  }

  /** Returns a node; `null` where none has that id. */
  get(nodeId: string): NodeView | null {
    const passedMs = this.#look()
    const record = this.#records.get(nodeId)
    return record === undefined ? null : this.#view(record, passedMs)
  }

  /** Returns all nodes by id. */
  list(): NodeView[] {
    const passedMs = this.#look()
    return [...this.#records.values()]
      .map((record) => this.#view(record, passedMs))
      .toSorted((a, b) => (a.record.id < b.record.id ? -1 : 1))
  }

  /**
   * Returns why the work of a node is given up; `null` where it is not. A node that never came has as long from our
   * start as one that has fallen silent.
   */
  lossOf(nodeId: string): string | null {
    if (this.#deleted.has(nodeId)) return `node ${nodeId} was deleted`
    const record = this.#records.get(nodeId)
    if (record?.membership === 'rejected') return `node ${nodeId} was rejected`
    if (this.#coming.has(nodeId)) return null
    const passedMs = this.#look()
    const heardAtMs = this.#contacts.get(nodeId)?.heardAtMs ?? this.#heardAtMs
    if (passedMs - heardAtMs <= this.#patience.lostAfterMs) {
      this.#lost.delete(nodeId)
      return null
    }
    if (!this.#lost.has(nodeId)) {
      this.#lost.add(nodeId)
      this.changes.advance()
    }
    return `node ${nodeId} has not been heard of for too long`
  }

  /** Returns why a node is given no more work, and until when; `null` where it is not drained. */
  drainOf(nodeId: string): DrainedNode | null {
    const record = this.#records.get(nodeId)
    if (record?.scheduling !== 'drained') return null
    return { reason: record.schedulingMessage, deadlineAtMs: record.drainDeadlineAtMs }
  }

  /** Tells whether a node that shook hands was not heard of since for so long that its work is given up. */
  wasSilentTooLong(nodeId: string): boolean {
    return (this.silentForMs(nodeId) ?? 0) > this.#patience.lostAfterMs
  }

  /**
   * Tells whether it is waited for what a node has to say: it is not lost, and is silent, or has not been back for
   * long.
   */
  isAwaited(nodeId: string): boolean {
    if (this.isLost(nodeId)) return false
    const passedMs = this.#look()
    const contact = this.#contacts.get(nodeId)
    if (contact === undefined) return true
    const { heardAtMs, backAtMs } = contact
    return passedMs - heardAtMs > this.#patience.silentAfterMs || passedMs - backAtMs < BACK_MS
  }

  /** Tells whether the work of a node is given up. */
  isLost(nodeId: string): boolean {
    return this.lossOf(nodeId) !== null
  }

  /** Counts the times when commands for a node were written. */
  commandsFor(nodeId: string): EventCount {
    const count = this.#commands.get(nodeId) ?? new EventCount()
    this.#commands.set(nodeId, count)
    return count
  }

  #view(record: KnownNode, passedMs: number): NodeView {
    const { id } = record
    const contact = this.#contacts.get(id)
    const silentForMs = passedMs - (contact?.heardAtMs ?? this.#heardAtMs)
    const rival = this.#rivals.get(id)
    const isCutOff = this.#cutOff.has(id)
    const connected = contact !== undefined && !isCutOff && silentForMs <= this.#patience.silentAfterMs
    const isLost = isCutOff || silentForMs > this.#patience.lostAfterMs
    return {
      record,
      description: this.#describe(record, contact),
      load: contact?.load ?? NO_LOAD,
      connected,
      state: connected ? 'connected' : isLost ? 'lost' : 'silent',
      connectedAtMs: contact?.connectedAtMs ?? null,
      lastContactMs: contact?.lastContactMs ?? record.lastSeenAtMs,
      orphans: contact?.orphans ?? null,
      rival: rival !== undefined && passedMs - rival.atMs <= RIVAL_SHOWN_MS ? rival.message : null,
    }
  }

  #describe(record: KnownNode, contact: Contact | undefined): NodeDescription {
    const { id, labels } = record
    const description = this.#descriptions.get(id) ?? {
      ...(contact?.description ?? describedBy(record)),
      labels,
    }
    this.#descriptions.set(id, description)
    return description
  }

  #change(nodeId: string): void {
    this.#descriptions.delete(nodeId)
    this.changes.advance()
  }

  /** Returns how much time has passed, after taking note of how long this process was asleep. */
  #look(): number {
    const passedMs = this.#passed()
    const deafMs = passedMs - this.#lookedAtMs
    this.#lookedAtMs = passedMs
    if (deafMs <= DEAF_MS) return passedMs
    this.#heardAtMs += deafMs
    for (const [id, contact] of this.#contacts) {
      const { heardAtMs, backAtMs } = contact
      this.#contacts.set(id, { ...contact, heardAtMs: heardAtMs + deafMs, backAtMs: backAtMs + deafMs })
    }
    return passedMs
  }
}

/** What of a node's description stands in its record beside its labels and engines. */
type Details = Pick<
  NodeDescription,
  'missingEngines' | 'publishers' | 'inputSources' | 'capacity' | 'release'
>

/** Returns what the record of a node keeps of its description, which only {@link describedBy} reads. */
export function detailsOf({
  missingEngines = {},
  publishers,
  inputSources,
  capacity,
  release,
}: NodeDescription): Json {
  return {
    missingEngines,
    publishers,
    inputSources,
    capacity: { ...capacity },
    ...(release === undefined ? {} : { release: { ...release } }),
  }
}

/** What a node said of itself when it was here last. One that was only known by its store said nothing. */
function describedBy({ id, labels, engines, details }: KnownNode): NodeDescription {
  const {
    missingEngines = {},
    publishers = [],
    inputSources = [],
    capacity = NO_CAPACITY,
    release,
  } = (details ?? {}) as Partial<Details>
  const said = { nodeId: id, labels, engines, missingEngines, publishers, inputSources, capacity }
  return release === undefined ? said : { ...said, release }
}
