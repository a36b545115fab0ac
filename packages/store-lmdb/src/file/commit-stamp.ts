import type { DataFile } from './data-file.ts'
import type { MetaPage } from './meta-page.ts'
import type { FileMeta } from './meta-pages.ts'
import { parseHeader } from './tree-page.ts'

/** Which meta page to go by, and what is wrong with either. */
export interface StampedMeta {
  readonly meta: MetaPage
  readonly problems: readonly string[]
}

interface Candidate {
  readonly meta: MetaPage
  /** The transactions that wrote the roots of its trees. */
  readonly stamps: readonly bigint[]
}

/**
 * Compares the meta pages with the pages that they point to. LMDB writes the number of its transaction into every
 * page, and a commit writes at least one of the two roots anew; so a meta page whose own number is damaged, and
 * which puts an older state in the place of the newest one, gives itself away. Then the pages tell which is newest.
 */
export function compareStamps(file: DataFile, { older, ...newest }: FileMeta): StampedMeta {
  const candidates = (older === null ? [newest] : [newest, older]).map((meta) => ({
    meta,
    stamps: rootStamps(file, meta),
  }))
  const problems = candidates.flatMap(({ meta, stamps }) => {
    const { transaction } = meta
    const found = stamps.length === 0 ? 'nothing' : `pages of ${stamps.join(' and ')}`
    const isTooNew = stamps.some((stamp) => stamp > transaction)
    const isTooOld = meta === newest && !mayBeCopy(older) && !stamps.includes(transaction)
    return isTooNew || isTooOld
      ? [`a meta page is of transaction ${transaction}, and points to ${found}`]
      : []
  })
  return { meta: problems.length === 0 ? newest : byStamps(candidates, newest), problems }
}

/** Pages of a copy have the number 1 whatever its transaction is; it is told by its other meta page, which is empty. */
function mayBeCopy(older: MetaPage | null): boolean {
  return older === null || (older.transaction === 0n && older.mainTree.root === null)
}

function byStamps(candidates: readonly Candidate[], newest: MetaPage): MetaPage {
  let best = newest
  let bestStamp = 0n
  for (const { meta, stamps } of candidates) {
    for (const stamp of stamps) {
      if (stamp <= bestStamp) continue
      bestStamp = stamp
      best = { ...meta, transaction: stamp }
    }
  }
  return best
}

function rootStamps(file: DataFile, { pageBytes, freeTree, mainTree }: MetaPage): bigint[] {
  return [freeTree, mainTree].flatMap(({ root }) => {
    if (root === null) return []
    const header = parseHeader(file.read(root * pageBytes, pageBytes), root)
    // What is wrong with the page itself is told by the walk through its tree.
    return typeof header === 'string' ? [] : [header.transaction]
  })
}
