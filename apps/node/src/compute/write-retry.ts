import { setTimeout as delay } from 'node:timers/promises'
import { isStoreError } from '@saltcod/store-core'
import type { Logger } from 'pino'

const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 5_000

/** Returns whether a write may succeed later: the disk is full, or its outcome is not known yet. */
function mayPass(error: unknown): boolean {
  return isStoreError(error, 'STORE_FULL', 'OUTCOME_UNKNOWN')
}

/**
 * Writes until it is done: a full disk delays what a node has to remember, and never loses it. `write` must use
 * one request id throughout. Rejects with any other error, and with an `AbortError` when the signal aborts.
 */
export async function writeUntilDone<T>(
  write: () => Promise<T>,
  options: { readonly signal: AbortSignal; readonly log: Logger; readonly subject: string },
): Promise<T> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    try {
      return await write()
    } catch (error) {
      if (!mayPass(error)) throw error
      const { subject } = options
      options.log.warn({ subject, err: error }, 'the execution store took no write; trying again')
      await delay(waitMs, undefined, { signal: options.signal })
    }
  }
}
