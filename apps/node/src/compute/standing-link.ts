import type { Link } from '../link/link.ts'
import { isLinkError } from '../link/link-error.ts'

/**
 * The link of a node that works. A requester that has begun anew knows no node; where it says so, hands are shaken
 * again by `greet`, which does what the answer says, once for all that waits, and what was asked is asked again.
 */
export function standingLink(link: Link, greet: () => Promise<void>): Link {
  let greeting: Promise<void> | undefined
  const known = async <T>(ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask()
    } catch (error) {
      if (!isLinkError(error, 'LINK_UNKNOWN')) throw error
    }
    greeting ??= greet().finally(() => {
      greeting = undefined
    })
    await greeting
    return await ask()
  }
  return {
    handshake: (request) => link.handshake(request),
    poll: (request, signal) => known(() => link.poll(request, signal)),
    acknowledge: (request) => known(() => link.acknowledge(request)),
    report: (request) => known(() => link.report(request)),
    heartbeat: (request) => known(() => link.heartbeat(request)),
    demands: (request, signal) => link.demands(request, signal),
    supply: (request, open, signal) => link.supply(request, open, signal),
  }
}
