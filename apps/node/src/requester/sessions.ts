import { randomUUID } from 'node:crypto'
import { LINK_VERSIONS } from '../link/link.ts'
import { LinkError } from '../link/link-error.ts'

/** What a node and this requester have agreed on. */
export interface Session {
  readonly version: number
  /** Absent in version 1, which knows none. */
  readonly session?: string
}

/** A session, and how far the requester's store had come when it began. */
interface Kept extends Session {
  readonly sinceSequence: number
  /** The opening of the store that the node worked in; empty where it did not say. */
  readonly opening: string
}

/**
 * Which handshake of each node is the newest. What follows an older one, or one of another requester, is no part of
 * what both sides know of each other: whoever says it has to shake hands again.
 */
export class Sessions {
  readonly #newest = new Map<string, Kept>()

  /**
   * Finds the version that both sides speak, and begins a session for it, which counts once it is kept. Throws
   * `LINK_VERSION` where there is none.
   */
  agree(spoken: readonly number[] = [1]): Session {
    const version = LINK_VERSIONS.requester.find((known) => spoken.includes(known))
    if (version === undefined) {
      throw new LinkError(
        'LINK_VERSION',
        `the requester speaks the versions ${LINK_VERSIONS.requester.join(' and ')} of the link, and the node ${spoken.join(' and ')}: upgrade the older one, the requester first`,
      )
    }
    return version === 1 ? { version } : { version, session: randomUUID() }
  }

  /** What the node says counts if it follows this one from now on. */
  keep(nodeId: string, agreed: Session, sinceSequence: number, opening: string): void {
    this.#newest.set(nodeId, { ...agreed, sinceSequence, opening })
  }

  /** Tells whether a node that comes works in the same opening of its store as at its newest handshake. */
  isSameOpening(nodeId: string, opening: string): boolean {
    return opening !== '' && this.#newest.get(nodeId)?.opening === opening
  }

  /** Returns up to which sequence number a node may have been told of commands before its newest handshake. */
  sinceSequence(nodeId: string): number {
    return this.#newest.get(nodeId)?.sinceSequence ?? 0
  }

  /** Tells whether what a node says follows its newest handshake. */
  isNewest(nodeId: string, session: string | undefined): boolean {
    const newest = this.#newest.get(nodeId)
    return newest !== undefined && newest.session === session
  }
}
