import { type BoltSnapshot, sourceOf } from '../tree/bolt-snapshot.ts'
import { readFreeList } from './free-list.ts'
import { PAGES_A_BLOCK, PageSet } from './page-set.ts'
import { TreeWalk } from './tree-walk.ts'

const DEFAULT_FINDINGS = 1_000
const PAGES_PER_PROGRESS = 1_000

/** Options of {@link checkBolt}. */
export interface BoltCheckOptions {
  /** At most so many findings are kept, and all of them counted; default 1,000. */
  readonly maxFindings?: number
  /** Called now and then with how many pages were looked at, and of how many. */
  readonly onProgress?: (done: number, total: number) => void
}

/** Something that is wrong with a file. */
export interface BoltFinding {
  readonly page: number
  /** Names of the buckets that lead there; empty for what lies in none. */
  readonly path: readonly Buffer[]
  /** What is wrong, as BoltDB's own check says it where that knows it. */
  readonly what: string
}

/** What a check of a file has found. */
export interface BoltReport {
  readonly transaction: bigint
  readonly pageCount: number
  /** Pages of buckets with their overflow, the meta pages, and the list of free pages. */
  readonly reachedPages: number
  readonly freePages: number
  readonly buckets: number
  readonly keys: number
  readonly findings: readonly BoltFinding[]
  /** How many there are, kept or not. */
  readonly findingCount: number
}

/**
 * Looks whether every page of a file is either free or referred to exactly once, whether it is what refers to it, and
 * whether all keys are in order. Reads every branch, every leaf and the list of free pages, and no value. It needs the
 * file unchanged for as long as it takes: call it by `BoltFile.read`.
 */
export function checkBolt(snapshot: BoltSnapshot, options: BoltCheckOptions = {}): BoltReport {
  const source = sourceOf(snapshot)
  const findings = new Findings(options.maxFindings ?? DEFAULT_FINDINGS)
  let buckets = 0
  let keys = 0
  let looked = 0
  const walk = new TreeWalk(source, {
    onPage: (page) => {
      if (page.isLeaf) keys += page.count
      looked += 1
      if (looked % PAGES_PER_PROGRESS === 0) options.onProgress?.(walk.reached.size, source.pageCount)
    },
    onBucket: ({ nesting }) => {
      if (nesting > 0) buckets += 1
    },
    onProblem: (page, what, path) => findings.add(page, what, path),
  })
  const freed = new PageSet(source.pageCount)
  const list = readFreeList(source, {
    onFree: (page) => {
      if (!freed.add(page))
        findings.add(page, freed.has(page) ? 'already freed' : 'lies behind the end of the file')
    },
    onProblem: (page, what) => findings.add(page, what),
  })
  walk.reached.add(0)
  walk.reached.add(1)
  for (let page = list?.id ?? 0; list !== null && page <= list.id + list.overflow; page += 1)
    walk.reached.add(page)
  walk.run()
  // Without a list, or with one that cannot be read, nobody can tell a free page from one that was lost.
  if (list !== null) comparePages(walk.reached, freed, source.pageCount, findings)
  if (source.pageCount < source.meta.pageCount) {
    findings.add(
      source.pageCount,
      `lies behind the end of the file, as all up to ${source.meta.pageCount - 1}`,
    )
  }
  return {
    transaction: snapshot.transaction,
    pageCount: snapshot.pageCount,
    reachedPages: walk.reached.size,
    freePages: list === null ? source.pageCount - walk.reached.size : freed.size,
    buckets,
    keys,
    findings: findings.kept,
    findingCount: findings.count,
  }
}

function comparePages(reached: PageSet, freed: PageSet, pageCount: number, findings: Findings): void {
  for (let first = 0; first < pageCount; first += PAGES_A_BLOCK) {
    const end = Math.min(first + PAGES_A_BLOCK, pageCount)
    // Most of a file with holes is none of either, and may be more than can be looked at page by page.
    if (findings.isFull && reached.isBlockEmpty(first) && freed.isBlockEmpty(first)) {
      findings.count += end - first
      continue
    }
    for (let page = first; page < end; page += 1) {
      if (reached.has(page) && freed.has(page)) findings.add(page, 'reachable freed')
      else if (!reached.has(page) && !freed.has(page)) findings.add(page, 'unreachable unfreed')
    }
  }
}

class Findings {
  readonly kept: BoltFinding[] = []
  count = 0
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  /** Whether others are only counted from now on. */
  get isFull(): boolean {
    return this.kept.length >= this.#most
  }

  add(page: number, what: string, path: readonly Buffer[] = []): void {
    this.count += 1
    if (!this.isFull) this.kept.push({ page, path, what })
  }
}
