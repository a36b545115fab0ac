import type { KvStatistics } from '@saltcod/store-core/backend'

/** Returns the share of the used part of a store file that no live page takes, from 0 to 1; 0 for an empty one. */
export function deadShare({ usedBytes, freeBytes }: Pick<KvStatistics, 'usedBytes' | 'freeBytes'>): number {
  const all = usedBytes + freeBytes
  return all === 0 ? 0 : freeBytes / all
}
