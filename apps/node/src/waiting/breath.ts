import { setImmediate as nextTurn } from 'node:timers/promises'

/** For so long nobody else waits for the event loop. */
const MOST_MS = 5

/**
 * Yields what something holds, and lets the event loop go round now and then. For work of very many steps that may all
 * be done at once, as reads of a store are: promises that are kept already give nobody else a turn.
 */
export async function* breathing<T>(items: Iterable<T> | AsyncIterable<T>): AsyncIterableIterator<T> {
  let beganMs = performance.now()
  for await (const item of items) {
    if (performance.now() - beganMs >= MOST_MS) {
      await nextTurn()
      beganMs = performance.now()
    }
    yield item
  }
}
