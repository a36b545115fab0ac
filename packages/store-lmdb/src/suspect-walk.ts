import { performance } from 'node:perf_hooks'

import { readTable, walkFile } from './file/file-walk.ts'
import { damagedError } from './refusal.ts'

/** A file that takes longer to walk is not served before somebody has checked it. */
const MAX_WALK_MS = 120_000

/**
 * Walks all pages of a file in which a damaged record was found before, and of no other: LMDB ends the process on a damaged page only when it
 * comes to it, perhaps hours after the opening. Throws `STORE_DAMAGED` for what the walk finds, and where it takes too long.
 */
export function walkIfSuspect(path: string): void {
  if (readTable(path, 'quarantine').length === 0) return
  const endMs = performance.now() + MAX_WALK_MS
  const walk = walkFile(path, {
    problem: ({ message }) => {
      throw damagedError(path, message)
    },
    lost: () => undefined,
  })
  while (walk.next().done !== true) {
    if (performance.now() < endMs) continue
    const seconds = MAX_WALK_MS / 1_000
    throw damagedError(
      path,
      `a damaged record was found in it before, and its pages could not all be walked within ${seconds} s; check it, and repair it`,
    )
  }
}
