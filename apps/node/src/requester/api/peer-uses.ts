import type { Duplex } from 'node:stream'
import { peerOf } from '../../access/peer.ts'
import type { PeerLimits } from './connection-limits.ts'
import { isLoopback } from './origin-guard.ts'

/** What is in progress, on one connection, for one peer, or over all. */
export interface Use {
  requests: number
  bodyBytes: number
  answerBytes: number
}

/** What one peer has. */
export interface PeerUse extends Use {
  readonly peer: string
  connections: number
  upgraded: number
}

/**
 * What each peer takes of the node. Those of this machine are not bounded: behind a proxy everybody is one of them.
 */
export class PeerUses {
  readonly #limits: PeerLimits
  readonly #isFree: (socket: Duplex) => boolean
  readonly #uses = new Map<string, PeerUse>()

  constructor(limits: PeerLimits, isFree: (socket: Duplex) => boolean = isOfThisMachine) {
    this.#limits = limits
    this.#isFree = isFree
  }

  /** Counts a connection in. Returns what its peer has; `null` for one that is not bounded. */
  join(socket: Duplex): PeerUse | null {
    if (this.#isFree(socket)) return null
    const peer = peerOf(socket)
    const use = this.#uses.get(peer) ?? {
      peer,
      connections: 0,
      upgraded: 0,
      requests: 0,
      bodyBytes: 0,
      answerBytes: 0,
    }
    this.#uses.set(peer, use)
    use.connections += 1
    return use
  }

  /** Counts a connection out. */
  leave(use: PeerUse): void {
    use.connections -= 1
    if (use.connections === 0 && this.#uses.get(use.peer) === use) this.#uses.delete(use.peer)
  }

  /** Tells whether a peer has not taken more of its answers than may wait. */
  leavesTooMuch({ answerBytes }: PeerUse): boolean {
    return answerBytes > this.#limits.answerBytes
  }

  /** Returns what a peer has too much of; `null` where that is nothing. */
  excess(use: PeerUse): string | null {
    const { connections, requests, bodyBytes, logStreams } = this.#limits
    if (use.connections > connections) return `${connections} connections of ${use.peer} are open`
    if (use.requests > requests) return `${requests} requests of ${use.peer} are in progress`
    if (use.bodyBytes > bodyBytes) return `too much of ${use.peer} is being received`
    if (this.leavesTooMuch(use)) return `${use.peer} has not taken its answers`
    return use.upgraded > logStreams ? `${logStreams} logs are read by ${use.peer}` : null
  }
}

function isOfThisMachine(socket: Duplex): boolean {
  const address = 'remoteAddress' in socket ? socket.remoteAddress : undefined
  return typeof address !== 'string' || isLoopback(address)
}
