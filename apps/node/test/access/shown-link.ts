import assert from 'node:assert/strict'
import { HttpLink } from '../../src/link/http-link.ts'
import type { Handshake, HandshakeReply, Heartbeat } from '../../src/link/link.ts'
import type { LinkTrust } from '../../src/link/link-trust.ts'
import { makeNode } from '../requester/scheduler/world.ts'

/** What node n-1 says to be known to live. */
export const HEARTBEAT: Heartbeat = { nodeId: 'n-1', load: makeNode('n-1').load, sequence: 5 }

/** What a node says first that has nothing. */
export function handshake(nodeId: string): Handshake {
  const { description, load } = makeNode(nodeId)
  const store = {
    storeId: `s-${nodeId}`,
    durable: true,
    sequence: 1,
    openings: [{ id: 'o', firstSequence: 1 }],
  }
  return {
    versions: [2],
    node: { ...description, nodeId, labels: { name: nodeId }, engines: ['noop'] },
    load,
    store,
    executions: [],
  }
}

/** Returns the session of a node that was taken. */
export function sessionOf(reply: HandshakeReply): string {
  assert.ok('session' in reply && reply.session !== undefined)
  return reply.session
}

/** Links to a requester as whoever has a credential, and a token to join with. */
export function linkOf(
  { url }: { readonly url: string },
  credential: string,
  joinToken?: string,
  trust?: LinkTrust,
): HttpLink {
  const proof = {
    headers: () => ({
      authorization: `Bearer ${credential}`,
      ...(joinToken === undefined ? {} : { 'x-saltcod-join': joinToken }),
    }),
    accepted: () => undefined,
    refused: () => undefined,
  }
  return new HttpLink([url], { proof, ...(trust === undefined ? {} : { trust }) })
}
