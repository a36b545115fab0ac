import { LMDB_MAGIC } from './foreign-format.ts'

/** The root of a tree and what the file says of its size (struct MDB_db). */
export interface TreeRoot {
  /** How its keys and values are sorted; in that of the free pages there are flags of the file too. */
  readonly flags: number
  readonly depth: number
  readonly branchPages: number
  readonly leafPages: number
  readonly overflowPages: number
  readonly entries: number
  /** `null` for an empty tree. */
  readonly root: number | null
}

/** What a meta page says of a file (struct MDB_meta, data format 2, as the pinned lmdb writes it). */
export interface MetaPage {
  readonly pageBytes: number
  readonly lastPage: number
  readonly transaction: bigint
  readonly isEncrypted: boolean
  readonly freeTree: TreeRoot
  readonly mainTree: TreeRoot
}

const FLAGS_OFFSET = 18
const META_FLAG = 0x08
const MAGIC_OFFSET = 24
const VERSION_OFFSET = 28
const TREES_OFFSET = 48
const LAST_PAGE_OFFSET = 144
const TRANSACTION_OFFSET = 152
const DATA_VERSION = 2
const ENCRYPTED_FLAG = 0x2000
const INTEGER_KEYS = 0x08
/** What LMDB takes for flags of a tree. */
const TREE_FLAGS = 0xff
const NO_PAGE = 0xffff_ffff_ffff_ffffn
/** A branch page has 48 bits for the number of a page. */
const MAX_PAGE = 0xffff_ffff_ffffn

/** LMDB's cursors have room for so many levels. */
const MAX_DEPTH = 32

/** Bytes of a meta page that matter, with the header of the page. */
export const META_BYTES: number = 168

/** Bytes of a tree's description, also where a table is named. */
export const TREE_BYTES: number = 48

/** Tells whether bytes carry the mark of LMDB in either format. */
export function hasMagic(page: Buffer): boolean {
  return page.length >= MAGIC_OFFSET + 4 && page.readUInt32LE(MAGIC_OFFSET) === LMDB_MAGIC
}

/** Reads a meta page. Returns what is wrong with it as text where it says nothing of a file. */
export function parseMeta(page: Buffer): MetaPage | string {
  if (page.length < META_BYTES) return 'it ends inside a meta page'
  if (!hasMagic(page)) return 'a meta page has no magic number'
  if ((page.readUInt16LE(FLAGS_OFFSET) & META_FLAG) === 0) return 'a meta page is not marked as one'
  const version = page.readUInt32LE(VERSION_OFFSET)
  if (version !== DATA_VERSION) return `its data format is ${version}, not ${DATA_VERSION}`
  const pageBytes = page.readUInt32LE(TREES_OFFSET)
  if (pageBytes < 512 || pageBytes > 65_536 || (pageBytes & (pageBytes - 1)) !== 0) {
    return `its page size is ${pageBytes}`
  }
  const lastPage = page.readBigUInt64LE(LAST_PAGE_OFFSET)
  if (
    lastPage < 1n ||
    lastPage > MAX_PAGE ||
    lastPage > BigInt(Number.MAX_SAFE_INTEGER) / BigInt(pageBytes)
  ) {
    return `its last page is ${lastPage}`
  }
  return {
    pageBytes,
    lastPage: Number(lastPage),
    transaction: page.readBigUInt64LE(TRANSACTION_OFFSET),
    isEncrypted: (page.readUInt16LE(TREES_OFFSET + 4) & ENCRYPTED_FLAG) !== 0,
    freeTree: parseTree(page.subarray(TREES_OFFSET)),
    mainTree: parseTree(page.subarray(TREES_OFFSET + TREE_BYTES)),
  }
}

/**
 * The number of its transaction in the bytes of a meta page that need not be one; `undefined` where they are too few.
 */
export function transactionIn(page: Buffer): bigint | undefined {
  return page.length < META_BYTES ? undefined : page.readBigUInt64LE(TRANSACTION_OFFSET)
}

/** Reads the description of a tree. */
export function parseTree(bytes: Buffer): TreeRoot {
  const root = bytes.readBigUInt64LE(40)
  return {
    flags: bytes.readUInt16LE(4),
    depth: bytes.readUInt16LE(6),
    branchPages: Number(bytes.readBigUInt64LE(8)),
    leafPages: Number(bytes.readBigUInt64LE(16)),
    overflowPages: Number(bytes.readBigUInt64LE(24)),
    entries: Number(bytes.readBigUInt64LE(32)),
    root: root === NO_PAGE ? null : Number(root),
  }
}

/** Returns what makes LMDB refuse a meta page, or die of it; `null` where nothing does. */
export function openingProblem({ isEncrypted, lastPage, freeTree, mainTree }: MetaPage): string | null {
  if (isEncrypted) return 'it is encrypted'
  if ((freeTree.flags & TREE_FLAGS) !== INTEGER_KEYS || mainTree.flags !== 0) {
    return `its trees have the flags 0x${freeTree.flags.toString(16)} and 0x${mainTree.flags.toString(16)}`
  }
  for (const { root, depth } of [freeTree, mainTree]) {
    if (root === null) {
      if (depth !== 0) return 'a tree has levels but no root'
      continue
    }
    if (depth < 1 || depth > MAX_DEPTH) return `a tree has ${depth} levels`
    if (root < 2 || root > lastPage) return 'the root of a tree lies outside the file'
  }
  return null
}
