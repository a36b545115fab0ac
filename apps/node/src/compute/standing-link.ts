import { type Delivery, LINK_VERSIONS, type Link } from '../link/link.ts'
import { isLinkError } from '../link/link-error.ts'

/** The link of a node that works, and how it gets and gives up the session that all it says belongs to. */
export interface StandingLink extends Link {
  /** Takes the session of a handshake whose answer was found right. */
  adopt(session: string | undefined): void
  /**
   * Counts the sessions. What was delivered in an earlier one is delivered again, and perhaps by other numbers, where
   * the requester has another store by now: it is neither polled behind nor acknowledged any more. A poll of an
   * earlier one resolves with nothing, and an acknowledgement does nothing.
   */
  readonly round: number
}

const nothing = (): Promise<readonly Delivery[]> => Promise.resolve([])
const done = (): Promise<void> => Promise.resolve()

/**
 * The link of a node that works. A requester that has begun anew knows no node; where it says so, hands are shaken
 * again by `greet`, which does what the answer says, once for all that waits, and what was asked is asked again.
 */
export function standingLink(link: Link, greet: () => Promise<void>): StandingLink {
  let greeting: Promise<void> | undefined
  let session: string | undefined
  let round = 0
  const own = <T extends object>(request: T): T => (session === undefined ? request : { ...request, session })
  const known = async <T>(ask: () => Promise<T>, again = ask): Promise<T> => {
    const asked = session
    try {
      return await ask()
    } catch (error) {
      if (!isLinkError(error, 'LINK_UNKNOWN')) throw error
    }
    // What was asked before the others greeted is asked again, and does not make them greet once more.
    if (session === asked) {
      greeting ??= greet().finally(() => {
        greeting = undefined
      })
    }
    await greeting
    return await again()
  }
  return {
    adopt(taken) {
      session = taken
      round += 1
    },
    get round() {
      return round
    },
    handshake: (request) => link.handshake({ versions: LINK_VERSIONS.node, ...request }),
    poll: (request, signal) => known(() => link.poll(own(request), signal), nothing),
    acknowledge: (request) => known(() => link.acknowledge(own(request)), done),
    report: (request) => known(() => link.report(own(request))),
    heartbeat: (request) => known(() => link.heartbeat(own(request))),
    demands: (request, signal) => link.demands(request, signal),
    supply: (request, open, signal) => link.supply(request, open, signal),
  }
}
