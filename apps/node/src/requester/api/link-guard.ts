import type { LinkGuard } from '../../link/http-endpoint.ts'
import { LinkError } from '../../link/link-error.ts'
import { foreignOrigin, isLoopback } from './origin-guard.ts'

/** Keeps away what may come from a web page, and what comes from other machines unless that is allowed. */
export function linkGuard(insecure: boolean): LinkGuard {
  return async (request) => {
    const foreign = foreignOrigin(request)
    if (foreign !== null) throw new LinkError('LINK_REFUSED', foreign)
    const { localAddress } = request.socket
    // A Unix socket has none.
    if (insecure || localAddress === undefined || isLoopback(localAddress)) return null
    const reason = `nodes of other machines are not taken: lead a tunnel to a loopback address of the requester, or start it with --insecure where everybody who reaches ${localAddress} may speak as any node`
    throw new LinkError('LINK_REFUSED', reason)
  }
}
