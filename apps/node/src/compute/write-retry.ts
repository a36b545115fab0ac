import { isStoreError } from '@saltcod/store-core'
import type { Logger } from 'pino'
import { retry } from '../waiting/retry.ts'

const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 5_000

/** Returns whether a write may succeed later: the disk is full, or its outcome is not known yet. */
function mayPass(error: unknown): boolean {
  return isStoreError(error, 'STORE_FULL', 'OUTCOME_UNKNOWN')
}

/**
 * Writes until it is done: a full disk delays what a node has to remember, and never loses it. `write` must find out
 * by itself what a try has written whose outcome was unknown. Rejects with any other error, and with an `AbortError`
 * when the signal aborts.
 */
export async function writeUntilDone<T>(
  write: () => Promise<T>,
  { signal, log, subject }: { readonly signal: AbortSignal; readonly log: Logger; readonly subject: string },
): Promise<T> {
  return retry(write, {
    signal,
    firstWaitMs: FIRST_WAIT_MS,
    longestWaitMs: LONGEST_WAIT_MS,
    isFinal: (error) => !mayPass(error),
    onFailure: (error) =>
      log.warn({ subject, err: error }, 'the execution store took no write; trying again'),
  })
}
