import type { PageFile } from './page-file.ts'

/** The root of a tree and what the file says of its size (struct MDB_db). */
export interface TreeRoot {
  readonly depth: number
  readonly branchPages: number
  readonly leafPages: number
  readonly overflowPages: number
  readonly entries: number
  /** `null` for an empty tree. */
  readonly root: number | null
}

/** What a meta page says of a file. */
export interface CommittedMeta {
  readonly pageBytes: number
  readonly lastPage: number
  readonly transaction: bigint
  readonly freeTree: TreeRoot
  readonly mainTree: TreeRoot
}

/** What the newest meta page that can be read says of a file. */
export interface FileMeta extends CommittedMeta {
  /** The other one; `null` where it cannot be read. */
  readonly older: CommittedMeta | null
  /** What is wrong with either meta page. */
  readonly problems: readonly string[]
}

const MAGIC = 0xbeefc0de
const META_FLAG = 0x08
const DATA_VERSION = 2
const META_BYTES = 168
const TREES_OFFSET = 48
const NO_PAGE = 0xffff_ffff_ffff_ffffn

/** Bytes of a tree's description, also where a table is named. */
export const TREE_BYTES = 48

/** Reads both meta pages and returns the newer one that can be read; a text that says why none can. */
export function readMeta(file: PageFile): FileMeta | string {
  const first = parseMeta(file.read(0, META_BYTES))
  const sizes = typeof first === 'string' ? [4_096, 8_192, 16_384, 32_768, 65_536] : [first.pageBytes]
  let second: CommittedMeta | string = 'page 1 is no meta page'
  for (const size of sizes) {
    second = parseMeta(file.read(size, META_BYTES))
    if (typeof second !== 'string' && second.pageBytes === size) break
  }
  const problems: string[] = []
  if (typeof first === 'string') problems.push(`meta page 0: ${first}`)
  if (typeof second === 'string') problems.push(`meta page 1: ${second}`)
  if (typeof first !== 'string' && typeof second !== 'string') problems.push(...compare(first, second))
  const usable = [first, second].filter((page): page is CommittedMeta => typeof page !== 'string')
  usable.sort((a, b) => (a.transaction < b.transaction ? 1 : -1))
  const [newest, older = null] = usable
  return newest === undefined ? problems.join('; ') : { ...newest, older, problems }
}

/** LMDB writes the two in turns: even transactions to page 0, odd ones to page 1. New files and copies have 0 in one. */
function compare(first: CommittedMeta, second: CommittedMeta): string[] {
  const [even, odd] = [first.transaction, second.transaction]
  const problems: string[] = []
  const isNew = even === 0n || odd === 0n
  if (!isNew && (even % 2n !== 0n || (even - odd) ** 2n !== 1n)) {
    problems.push(`the meta pages are of the transactions ${even} and ${odd}, which cannot follow each other`)
  }
  if (first.pageBytes !== second.pageBytes) {
    problems.push(`the meta pages name page sizes of ${first.pageBytes} and ${second.pageBytes} bytes`)
  }
  return problems
}

function parseMeta(page: Buffer): CommittedMeta | string {
  if (page.length < META_BYTES) return 'the file ends inside it'
  if (page.readUInt32LE(24) !== MAGIC) return 'it has no magic number'
  if ((page.readUInt16LE(18) & META_FLAG) === 0) return 'it is not marked as one'
  if (page.readUInt32LE(28) !== DATA_VERSION) return `its data format is ${page.readUInt32LE(28)}`
  const pageBytes = page.readUInt32LE(TREES_OFFSET)
  if (pageBytes < 512 || pageBytes > 65_536 || (pageBytes & (pageBytes - 1)) !== 0) {
    return `its page size is ${pageBytes}`
  }
  const lastPage = page.readBigUInt64LE(144)
  if (lastPage < 1n || lastPage > 0xffff_ffffn) return `its last page is ${lastPage}`
  return {
    pageBytes,
    lastPage: Number(lastPage),
    transaction: page.readBigUInt64LE(152),
    freeTree: parseTree(page.subarray(TREES_OFFSET)),
    mainTree: parseTree(page.subarray(TREES_OFFSET + TREE_BYTES)),
  }
}

/** Reads the description of a tree. */
export function parseTree(bytes: Buffer): TreeRoot {
  const root = bytes.readBigUInt64LE(40)
  return {
    depth: bytes.readUInt16LE(6),
    branchPages: Number(bytes.readBigUInt64LE(8)),
    leafPages: Number(bytes.readBigUInt64LE(16)),
    overflowPages: Number(bytes.readBigUInt64LE(24)),
    entries: Number(bytes.readBigUInt64LE(32)),
    root: root === NO_PAGE ? null : Number(root),
  }
}
