import { checkPath } from './opening-options.ts'
import { findOwner } from './owner-lock.ts'
import { resolveStorePath } from './store-path.ts'

/** Who has a store open for writing, or how the last one gave it up. */
export type LmdbOwner =
  | { readonly running: true; readonly processId: number | null }
  /** `none`: nobody ever had it; `closed`: in good order; `died`: without closing it. */
  | { readonly running: false; readonly lastEnd: 'none' | 'closed' | 'died' }

/**
 * Finds out whether a process has the store in a file open for writing, without opening or writing anything.
 * Throws `STORE_NOT_FOUND`, `STORE_FOREIGN` or `STORE_PERMISSION` where the directory cannot be looked at.
 */
export async function findLmdbOwner(path: string): Promise<LmdbOwner> {
  checkPath(path)
  const owner = findOwner(resolveStorePath(path, false))
  if (owner.alive) return { running: true, processId: owner.processId ?? null }
  return { running: false, lastEnd: owner.previous.end }
}
