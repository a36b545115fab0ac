import { rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

const PATIENCE_MS = 15_000

/**
 * Removes a directory of a test, also where a process that is about to end still makes files in it: the keeper of a
 * node that was killed ends its runs and writes down how.
 */
export async function removeDirectory(path: string): Promise<void> {
  for (const endAt = performance.now() + PATIENCE_MS; ; ) {
    try {
      await rm(path, { recursive: true, force: true })
      return
    } catch (error) {
      const isChanging = error instanceof Error && 'code' in error && error.code === 'ENOTEMPTY'
      if (!isChanging || performance.now() > endAt) throw error
      await delay(50)
    }
  }
}
