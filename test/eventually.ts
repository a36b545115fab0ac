import { setTimeout as delay } from 'node:timers/promises'

const DEADLINE_MS = 60_000
const POLL_MS = 10

/**
 * Looks again and again until there is a value that is not `undefined`, `null` or false, and returns it. Fails after a
 * deadline with what was waited for.
 */
export async function eventually<T>(
  what: string | (() => string),
  look: () => T | Promise<T>,
  deadlineMs: number = DEADLINE_MS,
): Promise<Exclude<T, undefined | null | false>> {
  let found: T | undefined
  await poll(
    async () => {
      found = await look()
      return found !== undefined && found !== null && found !== false
    },
    () => `Waited in vain: ${typeof what === 'string' ? what : what()}`,
    deadlineMs,
  )
  return found as Exclude<T, undefined | null | false>
}

/** Looks again and again until what is seen holds, and returns it. Fails after a deadline with what was seen last. */
export async function until<T>(look: () => T | Promise<T>, holds: (value: T) => boolean): Promise<T> {
  let seen: T | undefined
  await poll(
    async () => {
      const value = await look()
      seen = value
      return holds(value)
    },
    () => `Waited in vain; it is still ${JSON.stringify(seen)}`,
    DEADLINE_MS,
  )
  return seen as T
}

async function poll(
  isOver: () => Promise<boolean>,
  complaint: () => string,
  deadlineMs: number,
): Promise<void> {
  for (const endAt = performance.now() + deadlineMs; !(await isOver()); ) {
    if (performance.now() > endAt) throw new Error(complaint())
    await delay(POLL_MS)
  }
}
