import type { NodeStore } from '@saltcod/store-core'
import type { LinkedStore } from './link.ts'

/** So many openings are told of; of a store that was opened more often since, nobody can say that it is a fork. */
export const MOST_OPENINGS_TOLD = 20

/**
 * How the store of another side stands to the one that it had before: the same opening of it or a later one; another
 * store; a fork, which may be an older copy that went on by itself; or that one as it was before.
 */
export type StoreDescent =
  | { readonly kind: 'descends' | 'other' }
  | { readonly kind: 'fork' | 'older'; readonly why: string }

/** Compares the store of another side with the known one. */
export function descentOf(known: NodeStore, { storeId, sequence, openings }: LinkedStore): StoreDescent {
  if (storeId !== known.storeId) return { kind: 'other' }
  const at = openings.findIndex(({ id }) => id === known.incarnation)
  if (at === -1) {
    const oldest = openings.at(-1)?.firstSequence ?? 0
    if (openings.length < MOST_OPENINGS_TOLD || known.firstSequence > oldest)
      return { kind: 'fork', why: 'it was never opened as that one was' }
  }
  const hadCome = `and that one had come to ${known.sequence}`
  if (sequence < known.sequence)
    return { kind: 'older', why: `it has come to change ${sequence}, ${hadCome}` }
  const next = openings[at - 1]
  // The next opening goes on from all that the known one had written.
  if (at > 0 && next !== undefined && next.firstSequence <= known.sequence)
    return { kind: 'fork', why: `its next opening went on from change ${next.firstSequence - 1}, ${hadCome}` }
  return { kind: 'descends' }
}
