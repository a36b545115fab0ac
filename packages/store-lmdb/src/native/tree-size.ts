/** Pages of one table. */
export interface TreeSize {
  readonly depth: number
  readonly branchPages: number
  readonly leafPages: number
  readonly overflowPages: number
  readonly rows: number
}

/** What lmdb tells of a table, at the pinned version; its declarations leave it out. */
export interface NativeStat {
  readonly pageSize: number
  readonly treeDepth: number
  readonly treeBranchPageCount: number
  readonly treeLeafPageCount: number
  readonly entryCount: number
  readonly overflowPages: number
}

/** All pages of a table. */
export function pagesOf(size: TreeSize): number {
  return size.branchPages + size.leafPages + size.overflowPages
}

/** Restores the sizes of a table from what lmdb tells. */
export function treeSizeOf(stat: NativeStat): TreeSize {
  return {
    depth: stat.treeDepth,
    branchPages: stat.treeBranchPageCount,
    leafPages: stat.treeLeafPageCount,
    overflowPages: stat.overflowPages,
    rows: stat.entryCount,
  }
}
