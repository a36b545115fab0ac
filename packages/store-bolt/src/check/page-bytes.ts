import { noPageError } from '../refusal.ts'
import { type BoltSnapshot, sourceOf } from '../tree/bolt-snapshot.ts'

/**
 * Returns the bytes of a page, whatever they are: without those of its overflow, as they lie in the file. Throws
 * `INVALID_ARGUMENT` for a page that the file has not, and `STORE_DAMAGED` where the file ends in it.
 */
export function boltPageBytes(snapshot: BoltSnapshot, page: number): Buffer {
  const source = sourceOf(snapshot)
  if (!Number.isSafeInteger(page) || page < 0 || page >= source.pageCount) {
    throw noPageError(source.path, page, source.pageCount)
  }
  return source.read(page * snapshot.pageBytes, snapshot.pageBytes)
}
