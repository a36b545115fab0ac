import type { Link } from './link.ts'
import { LinkError } from './link-error.ts'
import type { NodeProof } from './node-proof.ts'

/** The requester's end, which takes nodes in by what they have proven. */
export interface ProvenLink extends Link {
  /** As of a link; `proof` is `null` where nobody is asked for one. */
  handshake(
    request: Parameters<Link['handshake']>[0],
    proof?: NodeProof | null,
  ): ReturnType<Link['handshake']>
}

/** Returns the requester's end for one node: what is said for another one is refused with `LINK_REFUSED`. */
export function boundTo(proof: NodeProof, endpoint: ProvenLink): Link {
  const mustOwn = (nodeId: string): void => {
    if (nodeId === proof.nodeId) return
    throw new LinkError(
      'LINK_REFUSED',
      `the credential is that of node ${proof.nodeId}, which may not speak for ${nodeId.slice(0, 80)}`,
    )
  }
  return {
    async handshake(request) {
      mustOwn(request.node.nodeId)
      return await endpoint.handshake(request, proof)
    },
    async poll(request, signal) {
      mustOwn(request.nodeId)
      return await endpoint.poll(request, signal)
    },
    async acknowledge(request) {
      mustOwn(request.nodeId)
      await endpoint.acknowledge(request)
    },
    async report(request) {
      mustOwn(request.nodeId)
      return await endpoint.report(request)
    },
    async heartbeat(request) {
      mustOwn(request.nodeId)
      return await endpoint.heartbeat(request)
    },
    async demands(request, signal) {
      mustOwn(request.nodeId)
      return await endpoint.demands(request, signal)
    },
    async supply(request, open, signal) {
      mustOwn(request.nodeId)
      await endpoint.supply(request, open, signal)
    },
  }
}
