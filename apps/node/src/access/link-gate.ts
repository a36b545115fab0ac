import type { IncomingMessage } from 'node:http'
import { JOIN_HEADER, type LinkGuard } from '../link/http-endpoint.ts'
import { LINK_LIMITS } from '../link/limits.ts'
import { LinkError, type LinkErrorCode } from '../link/link-error.ts'
import { foreignOrigin } from '../requester/api/origin-guard.ts'
import type { Gate } from './gate.ts'
import { peerOf } from './peer.ts'
import { proofOf } from './proof.ts'
import type { RefusalReason } from './refusals.ts'
import { hasHash, hashOf } from './secret-hash.ts'
import { readCredential, readToken } from './token.ts'
import type { KeptToken } from './token-file.ts'

/** What is asked of the nodes that a requester knows. */
export interface KnownCredentials {
  /** Resolves when they are known. */
  ready(): Promise<void>
  /** Returns the hash of a node's credential; `null` where it has none that counts. */
  credentialOf(nodeId: string): string | null
}

/** Requests that one node may have in progress: two wait, and what it supplies is one for each reader. */
const MOST_REQUESTS = 512
/** Messages that one node may be sending. */
const MOST_BYTES = 2 * LINK_LIMITS.messageBytes

/**
 * Asks nodes of other processes to prove who they are, with each request and before its body: by a credential of their
 * own, and where that is not known yet by a token with which nodes join. What a node has in progress is cut off with
 * its credential (`Gate.cutNode`), and its joining with the token too.
 */
export function linkGate(gate: Gate, known: KnownCredentials): LinkGuard {
  const inProgress = new Map<string, { requests: number; bytes: number }>()
  return async (request, name) => {
    const foreign = foreignOrigin(request)
    if (foreign !== null) throw refused(gate, request, 'no-token', foreign)
    const shown = readCredential(proofOf(request.headers) ?? '')
    if (shown === null) {
      const what =
        'this requester asks its nodes for a credential: let this one join with --join-token FILE (saltcod token create --role node on the requester)'
      throw refused(gate, request, 'no-token', what)
    }
    const { nodeId, secret } = shown
    await known.ready()
    const isRight = hasHash(secret, known.credentialOf(nodeId))
    const joining = isRight || name !== 'handshake' ? null : joinTokenOf(gate, request)
    if (!isRight && name !== 'handshake') {
      gate.refusals.note(peerOf(request.socket), 'not-a-member', unknownCredential(nodeId))
      throw new LinkError('LINK_UNKNOWN', `node ${nodeId} has to shake hands first`)
    }
    if (!isRight && joining === null) {
      throw refused(gate, request, 'not-a-member', unknownCredential(nodeId), 'LINK_UNJOINED')
    }
    const letGo = [gate.holdNode(nodeId, request.socket)]
    if (joining !== null) letGo.push(gate.hold(joining, request.socket))
    // Who has only a token to join with is not that node yet, and must not use up what it may have in progress.
    const who = joining === null ? `node ${nodeId}` : `token ${joining.id}`
    const use = inProgress.get(who) ?? { requests: 0, bytes: 0 }
    inProgress.set(who, use)
    const bytes = bodyBytesOf(request, name)
    use.requests += 1
    use.bytes += bytes
    const release = (): void => {
      for (const end of letGo) end()
      use.requests -= 1
      use.bytes -= bytes
      if (use.requests === 0) inProgress.delete(who)
    }
    if (use.requests > MOST_REQUESTS || use.bytes > MOST_BYTES) {
      const what = `${who} has ${use.requests} requests with ${use.bytes} bytes in progress`
      release()
      gate.refusals.note(peerOf(request.socket), 'limit', what)
      throw new LinkError('LINK_LIMIT', `${what}, and ${MOST_REQUESTS} with ${MOST_BYTES} may be`)
    }
    return {
      proof: { nodeId, credentialHash: hashOf(secret), joins: joining !== null },
      refused: (error) => gate.refusals.note(peerOf(request.socket), 'not-a-member', error.message),
      release,
    }
  }
}

function unknownCredential(nodeId: string): string {
  return `the credential of ${nodeId} is none that this requester knows: it was never taken in, or was deleted or rejected; let it join with a token that is good (--join-token FILE)`
}

/** What is supplied goes at the pace of its reader, and nothing of it is kept. */
function bodyBytesOf({ headers }: IncomingMessage, name: string): number {
  if (name.startsWith('supply/')) return 0
  return Math.min(Number(headers['content-length'] ?? LINK_LIMITS.messageBytes), LINK_LIMITS.messageBytes)
}

/** Returns the token with which a node joins; `null` where it shows none. Throws where that is not taken. */
function joinTokenOf(gate: Gate, request: IncomingMessage): KeptToken | null {
  const header = request.headers[JOIN_HEADER]
  const token = readToken(typeof header === 'string' ? header : '')
  if (token === null) return null
  const kept = gate.tokens.verify(token)
  if (typeof kept !== 'string' && kept.role === 'node') return kept
  const reasons = { unknown: 'wrong-token', expired: 'expired', revoked: 'revoked' } as const
  const reason = typeof kept === 'string' ? reasons[kept] : 'role'
  const words = {
    'wrong-token': 'the token that the node shows to join is none of this requester',
    expired: 'the token that the node shows to join has expired',
    revoked: 'the token that the node shows to join was revoked',
    role: 'the token that the node shows to join is none of the role node',
  } as const
  throw refused(
    gate,
    request,
    reason,
    `${words[reason]}: make another one with saltcod token create --role node`,
  )
}

function refused(
  gate: Gate,
  { socket }: IncomingMessage,
  reason: RefusalReason,
  what: string,
  code: LinkErrorCode = 'LINK_REFUSED',
): LinkError {
  gate.refusals.note(peerOf(socket), reason, what)
  return new LinkError(code, what)
}
