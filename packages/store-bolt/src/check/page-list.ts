import { isStoreError } from '@saltcod/store-core'
import type { PageKind } from '../pages/page.ts'
import { tooManyPagesError } from '../refusal.ts'
import { type BoltSnapshot, sourceOf } from '../tree/bolt-snapshot.ts'
import { readFreeList } from './free-list.ts'
import { PageSet } from './page-set.ts'
import { TreeWalk } from './tree-walk.ts'

/** A page of a file. */
export interface BoltPage {
  readonly id: number
  /** `unreadable` is one whose header makes no sense. */
  readonly kind: PageKind | 'free' | 'unreadable'
  /** Elements that it has; 0 for a free one. */
  readonly count: number
  /** How many pages after it belong to it. */
  readonly overflow: number
}

const KINDS = ['branch', 'leaf', 'meta', 'freelist', 'free', 'unreadable'] as const
const ROW_BYTES = 7
/** A file with more is one with holes, whose pages nobody could look at one by one. */
const MOST_LISTED = 2 ** 26

/** The pages of a file. */
export interface BoltPages extends Iterable<BoltPage> {
  /** Why it is not known which pages are free; null where it is. */
  readonly freeListProblem: string | null
}

/**
 * Lists the pages of a file in order, without those that belong to the one before. The list is complete when it is
 * returned and takes a few bytes for each page; it can be read after the snapshot. Throws `INVALID_ARGUMENT` for a
 * file of more than 67,108,864 pages.
 */
export function boltPages(snapshot: BoltSnapshot): BoltPages {
  const source = sourceOf(snapshot)
  if (source.pageCount > MOST_LISTED) throw tooManyPagesError(source.path, source.pageCount, MOST_LISTED)
  const { freed, problem } = freePages(snapshot)
  const rows = Buffer.alloc(source.pageCount * ROW_BYTES)
  const starts = new PageSet(source.pageCount)
  for (let id = 0; id < source.pageCount; ) {
    const { kind, count, overflow } = freed.has(id) ? FREE : headerOr(snapshot, id)
    const at = id * ROW_BYTES
    rows.writeUInt8(KINDS.indexOf(kind), at)
    rows.writeUInt16LE(count, at + 1)
    rows.writeUInt32LE(overflow, at + 3)
    starts.add(id)
    id += overflow + 1
  }
  return {
    freeListProblem: problem,
    *[Symbol.iterator]() {
      for (let id = 0; id < source.pageCount; id += 1) {
        if (!starts.has(id)) continue
        const at = id * ROW_BYTES
        const kind = KINDS[rows.readUInt8(at)] ?? 'unreadable'
        yield { id, kind, count: rows.readUInt16LE(at + 1), overflow: rows.readUInt32LE(at + 3) }
      }
    },
  }
}

const FREE = { kind: 'free', count: 0, overflow: 0 } as const

function headerOr(snapshot: BoltSnapshot, id: number): Pick<BoltPage, 'kind' | 'count' | 'overflow'> {
  try {
    return sourceOf(snapshot).header(id)
  } catch (error) {
    if (!isStoreError(error, 'STORE_DAMAGED')) throw error
    return { kind: 'unreadable', count: 0, overflow: 0 }
  }
}

/** The free pages: as they are listed, or, where there is no list, all that nothing leads to. */
function freePages(snapshot: BoltSnapshot): { readonly freed: PageSet; readonly problem: string | null } {
  const source = sourceOf(snapshot)
  const freed = new PageSet(source.pageCount)
  let problem: string | null = null
  if (source.meta.freeListPage !== null) {
    readFreeList(source, {
      onFree: (page) => freed.add(page),
      onProblem: (_page, what) => {
        problem ??= what
      },
    })
    return { freed, problem }
  }
  const walk = new TreeWalk(source, { onProblem: () => {} })
  walk.run()
  for (let page = 2; page < source.pageCount; page += 1) if (!walk.reached.has(page)) freed.add(page)
  return { freed, problem }
}
