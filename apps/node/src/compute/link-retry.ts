import type { Logger } from 'pino'
import { isLinkError } from '../link/link-error.ts'
import { isStoreGone } from '../store-gone.ts'
import type { RetryOptions } from '../waiting/retry.ts'

/**
 * A requester that comes back is found within seconds, and a thousand nodes that lost it do not come back at once: the
 * waits are doubled up to four seconds, and each is longer by a random part of half of it.
 */
const BACKOFF = { firstWaitMs: 100, longestWaitMs: 4_000, spread: 0.5 }

/**
 * How what is said over the link is tried again until it arrives. `what` is said of a failure that is not the link's.
 */
export function linkRetry(
  { log }: { readonly log: Logger },
  signal: AbortSignal,
  what: string,
): RetryOptions {
  return {
    ...BACKOFF,
    signal,
    isFinal: isStoreGone,
    onFailure: (error) => {
      // That the requester is away is said once, by whoever watches the link.
      if (isLinkError(error)) log.debug({ err: error }, what)
      else log.warn({ err: error }, what)
    },
  }
}
