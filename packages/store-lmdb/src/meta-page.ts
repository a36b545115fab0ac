/**
 * The two meta pages of an LMDB file (data format 2, as the pinned lmdb writes it), read without LMDB:
 * LMDB itself ends the process on a file that it cannot open.
 */

import { LMDB_MAGIC } from './foreign-format.ts'

const FLAGS_OFFSET = 18
const META_FLAG = 0x08
const MAGIC_OFFSET = 24
const VERSION_OFFSET = 28
const TREES_OFFSET = 48
const TREE_BYTES = 48
const LAST_PAGE_OFFSET = 144
const TRANSACTION_OFFSET = 152
const DATA_VERSION = 2
const ENCRYPTED_FLAG = 0x2000
const NO_PAGE = 0xffff_ffff_ffff_ffffn

/** LMDB's cursors have room for so many levels. */
const MAX_DEPTH = 32

/** Bytes of a meta page that matter. */
export const META_BYTES: number = 168

/** The root of one of LMDB's own trees; `undefined` for an empty tree. */
export type RootPage = number | undefined

/** What a meta page says. */
export interface Meta {
  readonly pageBytes: number
  readonly lastPage: number
  readonly transaction: bigint
  readonly roots: readonly RootPage[]
}

/** Tells whether bytes carry the mark of LMDB in either format. */
export function hasMagic(page: Buffer): boolean {
  return page.length >= MAGIC_OFFSET + 4 && page.readUInt32LE(MAGIC_OFFSET) === LMDB_MAGIC
}

/** Reads a meta page. Returns what is wrong with it as text where it cannot be trusted. */
export function parseMeta(page: Buffer): Meta | string {
  if (page.length < META_BYTES) return 'it ends inside a meta page'
  if (!hasMagic(page)) return 'a meta page has no magic number'
  if ((page.readUInt16LE(FLAGS_OFFSET) & META_FLAG) === 0) return 'a meta page is not marked as one'
  const version = page.readUInt32LE(VERSION_OFFSET)
  if (version !== DATA_VERSION) return `its data format is ${version}, not ${DATA_VERSION}`
  const pageBytes = page.readUInt32LE(TREES_OFFSET)
  if (pageBytes < 512 || pageBytes > 65_536 || (pageBytes & (pageBytes - 1)) !== 0) {
    return `its page size is ${pageBytes}`
  }
  if ((page.readUInt16LE(TREES_OFFSET + 4) & ENCRYPTED_FLAG) !== 0) return 'it is encrypted'
  const lastPage = page.readBigUInt64LE(LAST_PAGE_OFFSET)
  if (lastPage < 1n || lastPage > BigInt(Number.MAX_SAFE_INTEGER) / BigInt(pageBytes))
    return 'its last page is impossible'
  const roots: RootPage[] = []
  for (const offset of [TREES_OFFSET, TREES_OFFSET + TREE_BYTES]) {
    const root = parseRoot(page, offset, lastPage)
    if (typeof root === 'string') return root
    roots.push(root)
  }
  return {
    pageBytes,
    lastPage: Number(lastPage),
    transaction: page.readBigUInt64LE(TRANSACTION_OFFSET),
    roots,
  }
}

function parseRoot(page: Buffer, offset: number, lastPage: bigint): RootPage | string {
  const depth = page.readUInt16LE(offset + 6)
  const root = page.readBigUInt64LE(offset + 40)
  if (root === NO_PAGE) return depth === 0 ? undefined : 'a tree has levels but no root'
  if (depth < 1 || depth > MAX_DEPTH) return `a tree has ${depth} levels`
  if (root < 2n || root > lastPage) return 'the root of a tree lies outside the file'
  return Number(root)
}
