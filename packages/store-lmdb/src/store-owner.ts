import { findOwner, type OwnerState } from './owner-lock.ts'
import { resolveStorePath } from './store-path.ts'

/**
 * Finds out whether a process has the store in a file open for writing, without opening or writing anything.
 * A file that never had an owner answers `none`. Throws `STORE_NOT_FOUND`, `STORE_FOREIGN` or `STORE_PERMISSION`
 * where the directory cannot be looked at.
 */
export async function findLmdbOwner(path: string): Promise<OwnerState> {
  return await findOwner(resolveStorePath(path, false).owner)
}
