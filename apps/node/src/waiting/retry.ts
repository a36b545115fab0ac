import pRetry from 'p-retry'
import { pause } from './pause.ts'

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 30_000

/** How something is tried again. */
export interface RetryOptions {
  /** Ends the waiting: nothing is tried again after it has aborted. An attempt that has begun comes to its own end. */
  readonly signal: AbortSignal
  /** Hears of each failure that another attempt follows. */
  readonly onFailure: (error: unknown) => void
  /** Tells failures that no other attempt would mend. Default: there are none. */
  readonly isFinal?: (error: unknown) => boolean
  /** Doubled after each failure. Default: 100. */
  readonly firstWaitMs?: number
  /** Default: 30,000. */
  readonly longestWaitMs?: number
  /** Each wait is longer by a random part of this share of it, so that many do not try at once. Default: 0. */
  readonly spread?: number
}

/** The library gives up after a `TypeError`, and takes nothing but errors. */
class FailedAttempt extends Error {}

/**
 * Tries something until it succeeds, at least once. Rejects with a failure that is final, and with the reason of the
 * signal where that aborts before an attempt succeeds.
 */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { signal, onFailure, isFinal = () => false } = options
  const { firstWaitMs = FIRST_WAIT_MS, longestWaitMs = LONGEST_WAIT_MS, spread = 0 } = options
  if (signal.aborted) return attempt()
  let first: { readonly error: unknown } | undefined
  try {
    // Nearly always all that is done, so the library with its timers and listeners is left out.
    return await attempt()
  } catch (error) {
    first = { error }
  }
  let success: { readonly value: T } | undefined
  try {
    await pRetry(
      async (number) => {
        const failed = first
        first = undefined
        try {
          if (failed !== undefined) throw failed.error
          const waitedMs = Math.min(firstWaitMs * 2 ** (number - 2), longestWaitMs)
          if (spread > 0) await pause(Math.random() * spread * waitedMs, signal)
          signal.throwIfAborted()
          success = { value: await attempt() }
        } catch (error) {
          throw new FailedAttempt(undefined, { cause: error })
        }
      },
      {
        retries: Number.POSITIVE_INFINITY,
        minTimeout: firstWaitMs,
        maxTimeout: longestWaitMs,
        signal,
        shouldRetry: ({ error: { cause } }) => {
          if (isFinal(cause)) return false
          if (!signal.aborted) onFailure(cause)
          return true
        },
      },
    )
  } catch (error) {
    // What succeeded while the signal aborted has succeeded.
    if (success === undefined) throw error instanceof FailedAttempt ? error.cause : error
  }
  return (success as { readonly value: T }).value
}
