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
/** Shorter keys are compared here: a call into the system costs as much as so many bytes. */
const COMPARED_HERE = 64
const EMPTY = Buffer.alloc(0)

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

/** Bytes that were read in one piece. */
export interface Block {
  readonly bytes: Buffer
  /** The same bytes, for numbers. */
  readonly view: DataView
  /** The memory that they are in, and from where on: views of it cost half as much as views of `bytes`. */
  readonly memory: ArrayBufferLike
  readonly memoryStart: number
}

/** Where a page lies in a block, and where the rest of it comes from where the block has its table alone. */
export interface PagePlace {
  readonly block: Block
  readonly start: number
  /** Bytes of the page with its overflow. */
  readonly length: number
  /** Reads bytes of the page that the block has not; null where it has all. The caller keeps within the length. */
  readonly far: ((start: number, length: number) => Buffer) | null
}

/** Makes a block of bytes. */
export function blockOf(bytes: Buffer): Block {
  const { buffer, byteOffset, byteLength } = bytes
  return {
    bytes,
    view: new DataView(buffer, byteOffset, byteLength),
    memory: buffer,
    memoryStart: byteOffset,
  }
}

function kindOf(flags: number): PageKind | undefined {
  if (flags === LEAF) return 'leaf'
  if (flags === BRANCH) return 'branch'
  if (flags === META) return 'meta'
  return flags === FREE_LIST ? 'freelist' : undefined
}

/** Reads the header of a page that begins there. Returns what is wrong as text. */
export function parseHeader(view: DataView, start: number, expectedId: number): PageHeader | string {
  if (start + PAGE_HEADER_BYTES > view.byteLength) return 'lies behind the end of the file'
  if (pageNumber(view, start) !== expectedId) {
    return `says that it is page ${view.getBigUint64(start, true)}`
  }
  const flags = view.getUint16(start + 8, true)
  const kind = kindOf(flags)
  if (kind === undefined) return `is of the unknown kind 0x${flags.toString(16)}`
  return {
    id: expectedId,
    kind,
    count: view.getUint16(start + 10, true),
    overflow: view.getUint32(start + 12, true),
  }
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
  /** Bytes of the page with its overflow. */
  readonly length: number
  readonly #block: Block
  readonly #bytes: Buffer
  readonly #view: DataView
  readonly #start: number
  /** Where the table of the elements begins in the block. */
  readonly #table: number
  readonly #far: PagePlace['far']

  constructor(header: PageHeader, { block, start, length, far }: PagePlace) {
    this.id = header.id
    this.isLeaf = header.kind === 'leaf'
    this.count = header.count
    this.overflow = header.overflow
    this.length = length
    this.#block = block
    this.#bytes = block.bytes
    this.#view = block.view
    this.#start = start
    this.#table = start + PAGE_HEADER_BYTES
    this.#far = far
  }

  /**
   * Looks whether every element lies within the page and behind the one before, as BoltDB writes them: so a page has
   * no more to give than its own bytes. Returns what is wrong as text.
   */
  fault(): string | undefined {
    const table = PAGE_HEADER_BYTES + this.count * ELEMENT_BYTES
    if (table > this.length) return `claims ${this.count} elements, which it has no room for`
    const { count, isLeaf, length } = this
    const view = this.#view
    const keyAt = this.#table + (isLeaf ? 4 : 0)
    let end = table
    for (let index = 0; index < count; index += 1) {
      const at = keyAt + index * ELEMENT_BYTES
      const start = PAGE_HEADER_BYTES + index * ELEMENT_BYTES + view.getUint32(at, true)
      const keyBytes = view.getUint32(at + 4, true)
      const next = start + keyBytes + (isLeaf ? view.getUint32(at + 8, true) : 0)
      if (start < end || next > length) return `element ${index} leaves its place`
      if (keyBytes > MAX_KEY_BYTES) return `the key of element ${index} claims ${keyBytes} bytes`
      end = next
    }
    return undefined
  }

  /** The key of an element. */
  key(index: number): Buffer {
    return this.#slice(this.#keyStart(index), this.#keyBytes(index))
  }

  /** The page of a child of a branch; undefined where its number is larger than any file could have. */
  child(index: number): number | undefined {
    return pageNumber(this.#view, this.#table + index * ELEMENT_BYTES + 8)
  }

  /** Whether an element of a leaf is a bucket. */
  isBucket(index: number): boolean {
    return (this.#view.getUint32(this.#table + index * ELEMENT_BYTES, true) & BUCKET_FLAG) !== 0
  }

  /** Bytes of the value of a leaf's element, which {@link value} would read. */
  valueBytes(index: number): number {
    return this.#view.getUint32(this.#table + index * ELEMENT_BYTES + 12, true)
  }

  /** The value of a leaf's element, or its first bytes. */
  value(index: number, atMost: number = Number.POSITIVE_INFINITY): Buffer {
    return this.#slice(this.#valueStart(index), Math.min(this.valueBytes(index), atMost))
  }

  /** Where the value of a leaf's element lies, for what is read in place. */
  valuePlace(index: number): PagePlace {
    const length = this.valueBytes(index)
    if (this.#far !== null) return { block: blockOf(this.value(index)), start: 0, length, far: null }
    return { block: this.#block, start: this.#start + this.#valueStart(index), length, far: null }
  }

  /** How the key of an element is to other bytes: below 0 where it is before them. */
  compareKey(index: number, other: Buffer): number {
    const length = this.#keyBytes(index)
    if (this.#far !== null || Math.min(length, other.length) > COMPARED_HERE) {
      return Buffer.compare(this.key(index), other)
    }
    const start = this.#start + this.#keyStart(index)
    return compareBytes(this.#bytes, start, length, other, 0, other.length)
  }

  /** How the key of an element is to that of an element of the same page or of another. */
  compareKeys(index: number, other: TreePage, otherIndex: number): number {
    const length = this.#keyBytes(index)
    const otherLength = other.#keyBytes(otherIndex)
    if (this.#far !== null || other.#far !== null || Math.min(length, otherLength) > COMPARED_HERE) {
      return Buffer.compare(this.key(index), other.key(otherIndex))
    }
    const start = this.#start + this.#keyStart(index)
    const otherStart = other.#start + other.#keyStart(otherIndex)
    return compareBytes(this.#bytes, start, length, other.#bytes, otherStart, otherLength)
  }

  /** Bytes up to the end of the last element. */
  get usedBytes(): number {
    if (this.count === 0) return PAGE_HEADER_BYTES
    const last = this.count - 1
    return this.isLeaf
      ? this.#valueStart(last) + this.valueBytes(last)
      : this.#keyStart(last) + this.#keyBytes(last)
  }

  #keyStart(index: number): number {
    const at = this.#table + index * ELEMENT_BYTES
    return PAGE_HEADER_BYTES + index * ELEMENT_BYTES + this.#view.getUint32(this.isLeaf ? at + 4 : at, true)
  }

  #keyBytes(index: number): number {
    return this.#view.getUint32(this.#table + index * ELEMENT_BYTES + (this.isLeaf ? 8 : 4), true)
  }

  #valueStart(index: number): number {
    return this.#keyStart(index) + this.#keyBytes(index)
  }

  #slice(start: number, length: number): Buffer {
    if (length === 0) return EMPTY
    if (this.#far !== null) return this.#far(start, length)
    const { memory, memoryStart } = this.#block
    return Buffer.from(memory, memoryStart + this.#start + start, length)
  }
}

function compareBytes(
  bytes: Buffer,
  start: number,
  length: number,
  others: Buffer,
  otherStart: number,
  otherLength: number,
): number {
  const shared = Math.min(length, otherLength)
  for (let at = 0; at < shared; at += 1) {
    const order = (bytes[start + at] ?? 0) - (others[otherStart + at] ?? 0)
    if (order !== 0) return order
  }
  return length - otherLength
}
