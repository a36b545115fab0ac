import { performance } from 'node:perf_hooks'
// Imported and not taken from the global object, so that a test's fake timers do not stop the store.
import { setImmediate, setTimeout } from 'node:timers'
import { damagedError } from '../refusal.ts'
import { stateOfTable, walkFile } from './file-walk.ts'
import type { KnownPages } from './owner-note.ts'

/** The table of damaged records. */
export const QUARANTINE = 'quarantine'

/** How much of a file is walked. */
export interface WalkLimits {
  /** A file of so many bytes in use is walked always, also one that was closed in good order. */
  readonly smallBytes: number
  /** For so long a larger file is walked that was not. */
  readonly maxMs: number
  /** A file in which damage was found, and that takes longer to walk, is not served before somebody has checked it. */
  readonly maxSuspectMs: number
}

const LIMITS: WalkLimits = { smallBytes: 8 * 1024 * 1024, maxMs: 2_000, maxSuspectMs: 120_000 }

/** For so long a walk keeps others from their turn. */
const MAX_SLICE_MS = 10

/**
 * Walks the pages of a file before LMDB opens it, since LMDB ends the process on a damaged page only when it comes to
 * it, perhaps hours later. All of them where damage was found before: a damaged record since the last walk, or by LMDB
 * a page. Else all of a small file, and of one that was not closed in good order what can be walked in a short time.
 * Resolves with the number of the commit whose pages were all walked, or with `undefined`. Rejects with
 * `STORE_DAMAGED` for what the walk finds, and where it would have to go on for too long.
 */
export async function walkPages(
  path: string,
  isClean: boolean,
  { walked = 0n, isSuspect }: KnownPages,
  limits: WalkLimits = LIMITS,
): Promise<bigint | undefined> {
  const quarantine = stateOfTable(path, QUARANTINE)
  const mustEnd = isSuspect || quarantine.changedIn > walked
  const isSmall = quarantine.usedBytes <= limits.smallBytes
  if (!mustEnd && isClean && !isSmall) return undefined
  // A small file takes a moment, however little of the processor there is for it.
  const maxMs = mustEnd || isSmall ? limits.maxSuspectMs : limits.maxMs
  const endMs = performance.now() + maxMs
  const transaction = await walk(path, { restMs: 0, isOver: () => performance.now() >= endMs })
  if (transaction !== undefined || !mustEnd) return transaction
  throw damagedError(
    path,
    `damage was found in it before, and its pages could not all be walked within ${maxMs / 1_000} s; check it, and repair it`,
  )
}

/** How a walk goes on. */
export interface WalkPace {
  /** How long others have their turn after each slice. */
  readonly restMs: number
  /** Asked before each row. */
  readonly isOver: () => boolean
}

/**
 * Walks all pages of a file in slices. Resolves with the number of its commit, or with `undefined` where it is over
 * before. Rejects with `STORE_DAMAGED` for what it finds. In a file that is served, the pages of the commit must stay
 * as they are meanwhile.
 */
export async function walk(path: string, { restMs, isOver }: WalkPace): Promise<bigint | undefined> {
  const rows = walkFile(path, {
    problem({ rule, message }) {
      // Pages that the file has for nothing do no harm to what it holds.
      if (rule !== 'free-list-short') throw damagedError(path, message)
    },
    lost: () => undefined,
  })
  let sliceMs = performance.now()
  for (let step = rows.next(); ; step = rows.next()) {
    if (step.done === true) return step.value?.transaction
    if (isOver()) {
      rows.return(null)
      return undefined
    }
    if (performance.now() - sliceMs < MAX_SLICE_MS) continue
    await new Promise<void>((resolve) => {
      if (restMs === 0) setImmediate(resolve)
      else setTimeout(resolve, restMs)
    })
    sliceMs = performance.now()
  }
}
