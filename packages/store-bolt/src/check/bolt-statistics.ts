import { type BoltSnapshot, sourceOf } from '../tree/bolt-snapshot.ts'
import { TreeWalk } from './tree-walk.ts'

/** So many damages are named, and all of them counted. */
const NAMED_DAMAGES = 1_000

/** How the pages of all buckets are used; named after the statistics of BoltDB. */
export interface BoltStatistics {
  /** Buckets of the root. */
  readonly rootBuckets: number
  /** Those, and all that are nested in them. */
  readonly buckets: number
  readonly inlineBuckets: number
  readonly inlineBytes: number
  /** Keys with values, and names of nested buckets. */
  readonly keys: number
  readonly levels: number
  readonly branchPages: number
  readonly branchOverflowPages: number
  readonly branchBytes: number
  readonly branchUsedBytes: number
  readonly leafPages: number
  readonly leafOverflowPages: number
  readonly leafBytes: number
  readonly leafUsedBytes: number
  /** What could not be read, and is not counted, with its page: the first 1,000 of it. */
  readonly damage: readonly string[]
  /** How much that is, named or not. */
  readonly damageCount: number
}

/** Counts the pages of all buckets of the root and of what is nested in them; reads no value. */
export function boltStatistics(snapshot: BoltSnapshot): BoltStatistics {
  const source = sourceOf(snapshot)
  const counts = { rootBuckets: 0, buckets: 0, inlineBuckets: 0, inlineBytes: 0, keys: 0, levels: 0 }
  const branch = { pages: 0, overflow: 0, used: 0 }
  const leaf = { pages: 0, overflow: 0, used: 0 }
  const damage: string[] = []
  let damageCount = 0
  new TreeWalk(source, {
    onPage: (page, { isInline, nesting }) => {
      if (nesting === 0) return
      if (page.isLeaf) counts.keys += page.count
      if (isInline) {
        counts.inlineBytes += page.usedBytes
        return
      }
      const kind = page.isLeaf ? leaf : branch
      kind.pages += 1
      kind.overflow += page.overflow
      kind.used += page.usedBytes
    },
    onBucket: ({ isInline, nesting, levels }) => {
      if (nesting === 0) return
      counts.buckets += 1
      if (isInline) counts.inlineBuckets += 1
      if (nesting === 1) {
        counts.rootBuckets += 1
        counts.levels = Math.max(counts.levels, levels)
      }
    },
    onProblem: (page, what) => {
      damageCount += 1
      if (damage.length < NAMED_DAMAGES) damage.push(`page ${page}: ${what}`)
    },
  }).run()
  const { pageBytes } = source.meta
  return {
    ...counts,
    branchPages: branch.pages,
    branchOverflowPages: branch.overflow,
    branchBytes: (branch.pages + branch.overflow) * pageBytes,
    branchUsedBytes: branch.used,
    leafPages: leaf.pages,
    leafOverflowPages: leaf.overflow,
    leafBytes: (leaf.pages + leaf.overflow) * pageBytes,
    leafUsedBytes: leaf.used,
    damage,
    damageCount,
  }
}
