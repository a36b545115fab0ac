import { type DurableStore, StoreError } from '@saltcod/store-core'
import {
  checkFields,
  type Fields,
  type KvRewriteOptions,
  type KvRewriteReport,
  type KvStatistics,
} from '@saltcod/store-core/backend'

const OPTION_FIELDS: Fields<KvRewriteOptions> = { signal: true, onProgress: true }

/**
 * Rewrites a store in use into a fresh file, in the order of its keys, and gives what deleted rows left behind back to
 * the disk. Rejects with `INVALID_ARGUMENT` where the store keeps no file that could be rewritten, and
 * as `rewrite` of `KvCapabilities` does. Unless it was `STORE_FAILED`, the store then works on as before.
 */
export async function rewrite(
  store: Pick<DurableStore, 'capabilities'>,
  options: KvRewriteOptions = {},
): Promise<KvRewriteReport> {
  checkFields('rewrite', options, OPTION_FIELDS)
  const { capabilities } = store
  if (capabilities.rewrite === undefined) {
    throw new StoreError('INVALID_ARGUMENT', 'this store cannot be rewritten: it has no such capability', {
      hint: 'only a store in a file needs it, for instance one of @saltcod/store-lmdb',
    })
  }
  return capabilities.rewrite(options)
}

/** Returns the share of the used part of a store file that no live page takes, from 0 to 1; 0 for an empty one. */
export function deadShare({ usedBytes, freeBytes }: Pick<KvStatistics, 'usedBytes' | 'freeBytes'>): number {
  const all = usedBytes + freeBytes
  return all === 0 ? 0 : freeBytes / all
}
