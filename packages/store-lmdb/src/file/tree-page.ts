/** The inside of a page of an LMDB file, data format 2 (struct MDB_page and struct MDB_node of the pinned lmdb). */

const HEADER_BYTES = 24
const NODE_HEADER_BYTES = 8
const BRANCH = 0x01
const LEAF = 0x02
const OVERFLOW = 0x04
const BIG_DATA = 0x01
const SUB_TREE = 0x02
const OVERFLOW_REFERENCE_BYTES = 24

/** What kind of page it is. */
export type PageKind = 'branch' | 'leaf' | 'overflow'

/** The header of a page. */
export interface PageHeader {
  readonly number: number
  readonly transaction: bigint
  readonly kind: PageKind
  /** Nodes of a branch or leaf. */
  readonly count: number
  /** Pages that a value takes; for an overflow page. */
  readonly pages: number
}

/** A child of a branch page; the key of the first one counts as lower than any. */
export interface BranchNode {
  readonly key: Buffer
  readonly child: number
}

/** A row of a leaf page: the value itself, or where it lies. */
export interface LeafNode {
  readonly key: Buffer
  /** The value is the description of a tree. */
  readonly isTree: boolean
  readonly value: Buffer | { readonly page: number; readonly pages: number; readonly bytes: number }
}

/** Reads the header of a page. Returns what is wrong as text. */
export function parseHeader(page: Buffer, expectedNumber: number): PageHeader | string {
  if (page.length < HEADER_BYTES) return 'lies behind the end of the file'
  const number = page.readBigUInt64LE(0)
  if (number !== BigInt(expectedNumber)) return `says that it is page ${number}`
  // Beside its kind a page has flags only in memory; one that LMDB finds here would keep it from writing the page.
  const flags = page.readUInt16LE(18)
  const transaction = page.readBigUInt64LE(8)
  if (flags === OVERFLOW) {
    return { number: expectedNumber, transaction, kind: 'overflow', count: 0, pages: page.readUInt32LE(20) }
  }
  if (flags !== BRANCH && flags !== LEAF) return `is of the unknown kind 0x${flags.toString(16)}`
  const lower = page.readUInt16LE(20)
  const upper = page.readUInt16LE(22)
  const room = page.length - HEADER_BYTES
  if (lower > upper || upper > room || lower % 2 !== 0) return 'has an impossible layout'
  return {
    number: expectedNumber,
    transaction,
    kind: flags === BRANCH ? 'branch' : 'leaf',
    count: lower / 2,
    pages: 1,
  }
}

/** Reads one node of a branch page. Returns what is wrong as text. */
export function parseBranchNode(page: Buffer, index: number): BranchNode | string {
  const node = nodeAt(page, index)
  if (typeof node === 'string') return node
  const [low, middle, high] = [
    page.readUInt16LE(node),
    page.readUInt16LE(node + 2),
    page.readUInt16LE(node + 4),
  ]
  return { key: keyOf(page, node), child: low + middle * 0x1_0000 + high * 0x1_0000_0000 }
}

/** Reads one node of a leaf page. Returns what is wrong as text. */
export function parseLeafNode(page: Buffer, index: number): LeafNode | string {
  const node = nodeAt(page, index)
  if (typeof node === 'string') return node
  const bytes = page.readUInt16LE(node) + page.readUInt16LE(node + 2) * 0x1_0000
  const flags = page.readUInt16LE(node + 4)
  const key = keyOf(page, node)
  if (key.length === 0) return `node ${index} has an empty key`
  const data = node + NODE_HEADER_BYTES + key.length
  const room = page.length - data
  if ((flags & ~(BIG_DATA | SUB_TREE)) !== 0)
    return `node ${index} has the unknown flags 0x${flags.toString(16)}`
  const isTree = (flags & SUB_TREE) !== 0
  if ((flags & BIG_DATA) === 0) {
    if (room < bytes) return `the value of node ${index} leaves the page`
    return { key, isTree, value: page.subarray(data, data + bytes) }
  }
  if (room < OVERFLOW_REFERENCE_BYTES) return `the value of node ${index} leaves the page`
  const first = page.readBigUInt64LE(data)
  const pages = page.readBigUInt64LE(data + 16)
  if (first > 0xffff_ffffn || pages > 0xffff_ffffn) return `the value of node ${index} lies nowhere`
  return { key, isTree, value: { page: Number(first), pages: Number(pages), bytes } }
}

/** The bytes of a value that follow the header of an overflow page. */
export const OVERFLOW_HEADER_BYTES: number = HEADER_BYTES

/** Returns where a node begins. */
function nodeAt(page: Buffer, index: number): number | string {
  const slot = HEADER_BYTES + index * 2
  if (slot + 2 > page.length) return `node ${index} has no slot`
  const upper = page.readUInt16LE(22)
  const offset = page.readUInt16LE(slot)
  if (offset < upper || HEADER_BYTES + offset + NODE_HEADER_BYTES > page.length)
    return `node ${index} lies outside the page`
  const node = HEADER_BYTES + offset
  if (node + NODE_HEADER_BYTES + page.readUInt16LE(node + 6) > page.length)
    return `the key of node ${index} leaves the page`
  return node
}

function keyOf(page: Buffer, node: number): Buffer {
  const key = node + NODE_HEADER_BYTES
  return page.subarray(key, key + page.readUInt16LE(node + 6))
}
