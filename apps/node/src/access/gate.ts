import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { ApiError } from '../wire/api-error.ts'
import { HeldConnections } from './held-connections.ts'
import { peerOf } from './peer.ts'
import { proofOf } from './proof.ts'
import type { RefusalReason, Refusals } from './refusals.ts'
import { type Needed, suffices } from './role.ts'
import { readCredential, readToken } from './token.ts'
import type { KeptToken } from './token-file.ts'
import type { Tokens } from './tokens.ts'

/** What a gate works with. */
export interface GateOptions {
  readonly tokens: Tokens
  readonly refusals: Refusals
  /** Where changes of operators are written. */
  readonly audit: Logger
  readonly clock: () => number
}

const SHOW_ONE =
  'show a token: saltcod --token FILE, or the variable SALTCOD_TOKEN or BACALHAU_API_KEY; saltcod token create makes one on the machine of the node'

/** What is said of a token that is not taken. */
const WORDS = {
  'no-token': 'this node asks for a token, and none was shown',
  'wrong-token': 'the token that was shown is none of this node',
  expired: 'the token that was shown has expired',
  revoked: 'the token that was shown was revoked',
} as const

/** Lets in whoever may, and cuts off whoever may no more. */
export class Gate {
  readonly tokens: Tokens
  readonly refusals: Refusals
  readonly audit: Logger
  readonly held: HeldConnections

  constructor({ tokens, refusals, audit, clock }: GateOptions) {
    this.tokens = tokens
    this.refusals = refusals
    this.audit = audit
    this.held = new HeldConnections(clock)
  }

  /**
   * Returns whose request it is; `null` for nobody's, where none is asked for. Throws an `ApiError` where it is
   * refused, after noting that. Nothing of the body is read before.
   */
  admit(request: IncomingMessage, needed: Needed): KeptToken | null {
    if (needed === 'anyone') return null
    const proof = proofOf(request.headers)
    if (proof === null) throw this.#refuse(request, 'no-token')
    if (readCredential(proof) !== null)
      throw this.#forbid(request, 'the credential of a node opens the link alone')
    const shown = readToken(proof)
    const token = shown === null ? 'unknown' : this.tokens.verify(shown)
    if (token === 'unknown') throw this.#refuse(request, 'wrong-token')
    if (typeof token === 'string') throw this.#refuse(request, token)
    if (suffices(token.role, needed)) return token
    throw this.#forbid(
      request,
      token.role === 'node'
        ? 'the token of a node opens the link alone'
        : `a token of the role ${token.role} does not allow this: it takes one of the role ${needed}`,
    )
  }

  /** Notes what is in progress for a token on a connection, until what is returned is called. */
  hold({ id, expiresAtMs }: KeptToken, socket: Duplex): () => void {
    return this.held.hold(`token ${id}`, socket, expiresAtMs)
  }

  /** Ends what is in progress for a token, but for what goes on on one connection. */
  cut(tokenId: string, spared?: Duplex): void {
    this.held.cut(`token ${tokenId}`, spared)
  }

  /** Notes what is in progress for a node, until what is returned is called. */
  holdNode(nodeId: string, socket: Duplex): () => void {
    return this.held.hold(`node ${nodeId}`, socket, null)
  }

  /** Ends what is in progress for a node. */
  cutNode(nodeId: string): void {
    this.held.cut(`node ${nodeId}`)
  }

  #refuse({ socket }: IncomingMessage, reason: keyof typeof WORDS): ApiError {
    this.#note(socket, reason, WORDS[reason])
    return new ApiError('Unauthorized', `Request Unauthorized: ${WORDS[reason]}`, {
      component: 'Authorizer',
      hint: SHOW_ONE,
      details: { reason: WORDS[reason] },
    })
  }

  #forbid({ socket }: IncomingMessage, reason: string): ApiError {
    this.#note(socket, 'role', reason)
    return new ApiError('Forbidden', `Request Forbidden: ${reason}`, {
      component: 'Authorizer',
      hint: 'an operator makes another token: saltcod token create --role ROLE',
      details: { reason },
    })
  }

  #note(socket: Duplex, reason: RefusalReason, what: string): void {
    this.refusals.note(peerOf(socket), reason, what)
  }
}
