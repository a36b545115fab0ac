import type { DataFile } from './data-file.ts'
import { META_BYTES, type MetaPage, parseMeta, transactionIn } from './meta-page.ts'
import { ownerNotePath, readNote } from './owner-note.ts'
import { parseHeader } from './tree-page.ts'

/** Which commit of a file is the current one. */
export interface CurrentCommit {
  readonly meta: MetaPage
  /** The commit before it, or what is left of one that was cut short; `null` where its meta page cannot be read. */
  readonly other: MetaPage | null
  /** What is wrong with the meta pages; without it the commit is that which LMDB takes too. */
  readonly problems: readonly string[]
  /** Whether a further commit had a meta page that cannot be read. `true` and `false` are sure, `undefined` is not. */
  readonly isBehind: boolean | undefined
}

interface Candidate {
  readonly meta: MetaPage
  readonly page: 0 | 1
  /** The transactions that wrote the roots of its trees. */
  readonly stamps: readonly bigint[]
}

const PAGE_SIZES = [4_096, 8_192, 16_384, 32_768, 65_536, 2_048, 1_024, 512]
/** A file that a writer keeps changing is read anew so often. */
const MAX_READINGS = 200

/**
 * Finds the commit that a file holds, and whether its meta pages can be believed; returns a text that says why none
 * can be read.
 *
 * LMDB writes the meta pages in turns, so their numbers follow each other; it writes the number of its transaction
 * into every page, and each commit makes at least one of the two roots anew; the last page never goes back. So a meta
 * page whose number has changed, and which puts another state in the place of the newest one, gives itself away. Then
 * the pages tell which is newest.
 *
 * What LMDB leaves behind is not taken for damage: a meta page that is about to be used again may lead to pages that
 * the next commit has written over, and after a failed write of a meta page LMDB puts its old numbers back but not its
 * old roots. A commit that was acknowledged looks just so where one bit of its number has changed; then the note of
 * the owner tells, which lies outside of the file. A writer may be at work meanwhile.
 */
export function findCommit(file: DataFile): CurrentCommit | string {
  for (let reading = 1; ; reading += 1) {
    const before = metaBytes(file)
    const found = judge(file, before)
    // What was read belongs together where no commit came in between.
    if (
      reading === MAX_READINGS ||
      before.every((bytes, page) => bytes.equals(metaBytes(file)[page] ?? bytes))
    )
      return found
  }
}

/** The bytes of both meta pages, wherever the second one is. */
function metaBytes(file: DataFile): readonly [Buffer, Buffer] {
  const first = file.read(0, META_BYTES)
  const parsed = parseMeta(first)
  if (typeof parsed !== 'string') return [first, file.read(parsed.pageBytes, META_BYTES)]
  for (const size of PAGE_SIZES) {
    const second = file.read(size, META_BYTES)
    const meta = parseMeta(second)
    if (typeof meta !== 'string' && meta.pageBytes === size) return [first, second]
  }
  return [first, Buffer.alloc(0)]
}

function judge(file: DataFile, bytes: readonly [Buffer, Buffer]): CurrentCommit | string {
  const pages = bytes.map((page) => parseMeta(page))
  const candidates = pages.flatMap((meta, page): Candidate[] =>
    typeof meta === 'string' ? [] : [{ meta, page: page === 0 ? 0 : 1, stamps: rootStamps(file, meta) }],
  )
  // LMDB takes the first one of two with the same number.
  candidates.sort((a, b) => (a.meta.transaction < b.meta.transaction ? 1 : -1))
  const [newest, other] = candidates
  const isBehind =
    newest === undefined || other !== undefined
      ? false
      : wasNewer(bytes[newest.page === 0 ? 1 : 0], newest.meta)
  const problems = pages.flatMap((page, number) =>
    typeof page === 'string' ? [`meta page ${number}: ${page}${describeBehind(isBehind)}`] : [],
  )
  if (newest === undefined) return problems.join('; ')
  const hasUnfinished = other !== undefined && isUnfinished(newest, other)
  problems.push(...notedProblems(file, newest.meta), ...newestProblems(newest, other))
  if (other !== undefined) problems.push(...pairProblems(newest, other, hasUnfinished))
  return {
    meta: problems.length === 0 ? newest.meta : byStamps(candidates, newest.meta),
    other: other?.meta ?? null,
    problems,
    isBehind,
  }
}

function describeBehind(isBehind: boolean | undefined): string {
  if (isBehind === false) return ''
  return isBehind === true
    ? '; it was that of the newest commit, so what can be read is one commit behind'
    : '; it may have been that of the newest commit, so what can be read may be one commit behind'
}

/** Compares with what the owner wrote down of its commits, which may lag behind. */
function notedProblems(file: DataFile, { transaction }: MetaPage): string[] {
  const notePath = ownerNotePath(file.path)
  const note = readNote(notePath)
  const commit = note.state === 'none' ? undefined : note.commit
  // Another file at this path has commits of its own.
  if (commit === undefined || commit.file !== file.identity || commit.transaction <= transaction) return []
  return [
    `its newest commit is number ${transaction}, and ${commit.transaction} was on disk by the note ${notePath}; where an older copy was put here on purpose, remove that note`,
  ]
}

/** Whether the roots of a meta page are those of the commit after the newest one. */
function isUnfinished(newest: Candidate, other: Candidate): boolean {
  return newestStamp(other) === newest.meta.transaction + 1n
}

function newestProblems({ meta, page, stamps }: Candidate, other: Candidate | undefined): string[] {
  const { transaction } = meta
  if (transaction % 2n !== BigInt(page)) return [`meta page ${page} is of the transaction ${transaction}`]
  const isCopy = other === undefined || other.meta.transaction === 0n
  // Pages of a copy have the number 1 whatever its transaction is; of its other meta page the number is 0.
  const isTooOld = !isCopy && !stamps.includes(transaction)
  const isTooNew = stamps.some((stamp) => stamp > transaction)
  return isTooOld || isTooNew ? [describeStamps(transaction, stamps)] : []
}

function pairProblems(newest: Candidate, other: Candidate, hasUnfinished: boolean): string[] {
  const problems: string[] = []
  const [a, b] = [newest.meta, other.meta]
  if (a.pageBytes !== b.pageBytes) {
    problems.push(`the meta pages name page sizes of ${a.pageBytes} and ${b.pageBytes} bytes`)
  }
  const follows = a.transaction - b.transaction === 1n
  const isEmpty = b.transaction === 0n && b.mainTree.root === null
  if (!follows && !isEmpty && !(b.transaction === 0n && hasUnfinished)) {
    problems.push(
      `the meta pages are of the transactions ${b.transaction} and ${a.transaction}, which do not follow each other`,
    )
  }
  if (!hasUnfinished && (newestStamp(other) ?? 0n) > b.transaction) {
    problems.push(describeStamps(b.transaction, other.stamps))
  }
  if (b.lastPage > a.lastPage) {
    problems.push(
      `the last page was ${b.lastPage} in the transaction ${b.transaction} and ${a.lastPage} in ${a.transaction}`,
    )
  }
  return problems
}

function describeStamps(transaction: bigint, stamps: readonly bigint[]): string {
  const found = stamps.length === 0 ? 'nothing' : `pages of ${stamps.join(' and ')}`
  return `a meta page is of transaction ${transaction}, and points to ${found}`
}

/** Of the bytes of a meta page that is of no use: whether its number is the next one after that of the other. */
function wasNewer(bytes: Buffer, { transaction }: MetaPage): boolean | undefined {
  const number = transactionIn(bytes)
  if (number === transaction + 1n) return true
  return number !== undefined && number + 1n === transaction ? false : undefined
}

function byStamps(candidates: readonly Candidate[], newest: MetaPage): MetaPage {
  let best = newest
  let bestStamp = 0n
  for (const candidate of candidates) {
    const stamp = newestStamp(candidate) ?? 0n
    if (stamp <= bestStamp) continue
    bestStamp = stamp
    best = { ...candidate.meta, transaction: stamp }
  }
  return best
}

function newestStamp({ stamps }: Candidate): bigint | undefined {
  return stamps.reduce<bigint | undefined>(
    (most, stamp) => (most === undefined || stamp > most ? stamp : most),
    undefined,
  )
}

function rootStamps(file: DataFile, { pageBytes, freeTree, mainTree }: MetaPage): bigint[] {
  return [freeTree, mainTree].flatMap(({ root }) => {
    if (root === null || root >= Math.ceil(file.fileBytes / pageBytes)) return []
    const header = parseHeader(file.read(root * pageBytes, pageBytes), root)
    // What is wrong with the page itself is told by the walk through its tree.
    return typeof header === 'string' ? [] : [header.transaction]
  })
}
