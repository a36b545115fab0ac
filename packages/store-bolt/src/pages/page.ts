/** The inside of a branch or leaf page of a BoltDB file; nothing that it says is believed before it was compared. */

import { PAGE_HEADER_BYTES, pageNumber } from './meta-page.ts'

const BRANCH = 0x01
const LEAF = 0x02
const META = 0x04
const FREE_LIST = 0x10
const ELEMENT_BYTES = 16
const BUCKET_FLAG = 0x01
/** Longest key that BoltDB takes. */
const MAX_KEY_BYTES = 32_768

/** What kind of page it is. */
export type PageKind = 'branch' | 'leaf' | 'meta' | 'freelist'

/** The header of a page. */
export interface PageHeader {
  readonly id: number
  readonly kind: PageKind
  /** Rows of a leaf, children of a branch. */
  readonly count: number
  /** How many pages after this one belong to it. */
  readonly overflow: number
}

/** Where the bytes of a page come from: they are read piece by piece where it is a long one. */
export interface PageBytes {
  /** All bytes of the page and of its overflow. */
  readonly length: number
  /** Its beginning, with the header and the whole table of its elements. */
  readonly head: Buffer
  /** Bytes anywhere in it; the caller keeps within its length. */
  slice(start: number, length: number): Buffer
}

const KINDS: ReadonlyMap<number, PageKind> = new Map([
  [BRANCH, 'branch'],
  [LEAF, 'leaf'],
  [META, 'meta'],
  [FREE_LIST, 'freelist'],
])

/** Reads the header of a page. Returns what is wrong as text. */
export function parseHeader(bytes: Buffer, expectedId: number): PageHeader | string {
  if (bytes.length < PAGE_HEADER_BYTES) return 'lies behind the end of the file'
  const id = pageNumber(bytes, 0)
  if (id !== expectedId) return `says that it is page ${bytes.readBigUInt64LE(0)}`
  const flags = bytes.readUInt16LE(8)
  const kind = KINDS.get(flags)
  if (kind === undefined) return `is of the unknown kind 0x${flags.toString(16)}`
  return { id, kind, count: bytes.readUInt16LE(10), overflow: bytes.readUInt32LE(12) }
}

/** How many bytes the header of a page and the table of its elements take. */
export function tableBytes(header: PageHeader): number {
  return PAGE_HEADER_BYTES + header.count * ELEMENT_BYTES
}

/** A branch or leaf page whose elements lie within it, one behind the other. */
export class TreePage {
  readonly id: number
  readonly isLeaf: boolean
  readonly count: number
  readonly overflow: number
  readonly #bytes: PageBytes

  constructor(header: PageHeader, bytes: PageBytes) {
    this.id = header.id
    this.isLeaf = header.kind === 'leaf'
    this.count = header.count
    this.overflow = header.overflow
    this.#bytes = bytes
  }

  /** Bytes of the page with its overflow. */
  get length(): number {
    return this.#bytes.length
  }

  /**
   * Looks whether every element lies within the page and behind the one before, as BoltDB writes them: so a page has
   * no more to give than its own bytes. Returns what is wrong as text.
   */
  fault(): string | undefined {
    const { head, length } = this.#bytes
    const table = PAGE_HEADER_BYTES + this.count * ELEMENT_BYTES
    if (table > length) return `claims ${this.count} elements, which it has no room for`
    let end = table
    for (let index = 0; index < this.count; index += 1) {
      const at = PAGE_HEADER_BYTES + index * ELEMENT_BYTES
      const start = at + head.readUInt32LE(this.isLeaf ? at + 4 : at)
      const keyBytes = head.readUInt32LE(this.isLeaf ? at + 8 : at + 4)
      const valueBytes = this.isLeaf ? head.readUInt32LE(at + 12) : 0
      if (start < end || start + keyBytes + valueBytes > length) return `element ${index} leaves its place`
      if (keyBytes > MAX_KEY_BYTES) return `the key of element ${index} claims ${keyBytes} bytes`
      end = start + keyBytes + valueBytes
    }
    return undefined
  }

  key(index: number): Buffer {
    const at = PAGE_HEADER_BYTES + index * ELEMENT_BYTES
    const { head } = this.#bytes
    return this.isLeaf
      ? this.#bytes.slice(at + head.readUInt32LE(at + 4), head.readUInt32LE(at + 8))
      : this.#bytes.slice(at + head.readUInt32LE(at), head.readUInt32LE(at + 4))
  }

  /** The page of a child of a branch; undefined where its number is larger than any file could have. */
  child(index: number): number | undefined {
    return pageNumber(this.#bytes.head, PAGE_HEADER_BYTES + index * ELEMENT_BYTES + 8)
  }

  /** Whether an element of a leaf is a bucket. */
  isBucket(index: number): boolean {
    return (this.#bytes.head.readUInt32LE(PAGE_HEADER_BYTES + index * ELEMENT_BYTES) & BUCKET_FLAG) !== 0
  }

  /** Bytes of the value of a leaf's element, which {@link value} would read. */
  valueBytes(index: number): number {
    return this.#bytes.head.readUInt32LE(PAGE_HEADER_BYTES + index * ELEMENT_BYTES + 12)
  }

  /** The value of a leaf's element, or its first bytes. */
  value(index: number, atMost: number = Number.POSITIVE_INFINITY): Buffer {
    const at = PAGE_HEADER_BYTES + index * ELEMENT_BYTES
    const { head } = this.#bytes
    const start = at + head.readUInt32LE(at + 4) + head.readUInt32LE(at + 8)
    return this.#bytes.slice(start, Math.min(head.readUInt32LE(at + 12), atMost))
  }

  /** Bytes up to the end of the last element. */
  get usedBytes(): number {
    if (this.count === 0) return PAGE_HEADER_BYTES
    const at = PAGE_HEADER_BYTES + (this.count - 1) * ELEMENT_BYTES
    const { head } = this.#bytes
    return this.isLeaf
      ? at + head.readUInt32LE(at + 4) + head.readUInt32LE(at + 8) + head.readUInt32LE(at + 12)
      : at + head.readUInt32LE(at) + head.readUInt32LE(at + 4)
  }
}
