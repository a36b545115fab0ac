import { readSync } from 'node:fs'
import { damagedError, systemError } from '../refusal.ts'
import type { Meta } from './meta-page.ts'
import { type PageBytes, type PageHeader, parseHeader, TreePage, tableBytes } from './page.ts'

/** What is read at once, for the pages of a bucket often lie near each other; more would cost where they do not. */
const BLOCK_BYTES = 16 * 1024
const MOST_BLOCKS = 256
/** Of a longer page only the table of its elements is kept; keys and values are read when they are asked for. */
const WHOLE_PAGE_BYTES = 1024 * 1024

/**
 * Reads the pages that one meta page leads to. What it gives out are views of memory that is never written again. All
 * its methods throw `STORE_DAMAGED` for what cannot be read as a page.
 */
export class PageSource {
  readonly path: string
  readonly meta: Meta
  /** Pages that the file has of those that the meta page counts: no walk visits more. */
  readonly pageCount: number
  /** Bytes that were read from the file until now. */
  bytesRead = 0
  readonly #file: number
  readonly #blockBytes: number
  /** Blocks that were read, by their number; the oldest one goes first. */
  readonly #blocks = new Map<number, Buffer>()

  constructor(path: string, file: number, meta: Meta, fileBytes: number) {
    this.path = path
    this.#file = file
    this.meta = meta
    this.#blockBytes = Math.max(BLOCK_BYTES, meta.pageBytes)
    this.pageCount = Math.min(meta.pageCount, Math.ceil(fileBytes / meta.pageBytes))
  }

  /** Reads a branch or a leaf. */
  treePage(id: number): TreePage {
    const header = this.header(id)
    if (header.kind !== 'branch' && header.kind !== 'leaf') {
      throw this.damaged(id, `is of the kind ${header.kind}, where a branch or a leaf should be`)
    }
    const page = new TreePage(header, this.bytesOf(header))
    const fault = page.fault()
    if (fault !== undefined) throw this.damaged(id, fault)
    return page
  }

  /** Reads the header of a page, which lies with its overflow within what the meta page counts. */
  header(id: number): PageHeader {
    const { pageBytes, pageCount } = this.meta
    if (id >= pageCount) throw this.damaged(id, `lies behind the last page, ${pageCount - 1}`)
    const header = parseHeader(this.#cached(id * pageBytes, pageBytes), id)
    if (typeof header === 'string') throw this.damaged(id, header)
    if (header.overflow >= pageCount - id)
      throw this.damaged(id, `claims ${header.overflow} pages of overflow`)
    return header
  }

  /** The bytes of a page that {@link header} has read. */
  bytesOf(header: PageHeader): PageBytes {
    const { pageBytes } = this.meta
    const start = header.id * pageBytes
    const length = (header.overflow + 1) * pageBytes
    const cached = this.#cached(start, length)
    if (cached.length === length) return wholePage(cached)
    if (length <= WHOLE_PAGE_BYTES) return wholePage(this.read(start, length))
    const table = Math.min(tableBytes(header), length)
    return { length, head: this.read(start, table), slice: (at, bytes) => this.read(start + at, bytes) }
  }

  /** Reads bytes anywhere in the file. */
  read(position: number, length: number): Buffer {
    const bytes = this.#readUpTo(position, length)
    if (bytes.length < length) {
      throw this.damaged(Math.floor(position / this.meta.pageBytes), 'lies behind the end of the file')
    }
    return bytes
  }

  damaged(id: number, what: string): Error {
    return damagedError(this.path, `page ${id} ${what}`)
  }

  /** So many bytes, or as many as the block has in which they begin. */
  #cached(position: number, length: number): Buffer {
    const number = Math.floor(position / this.#blockBytes)
    const start = number * this.#blockBytes
    let block = this.#blocks.get(number)
    if (block === undefined) {
      block = this.#readUpTo(start, this.#blockBytes)
      this.#blocks.set(number, block)
      if (this.#blocks.size > MOST_BLOCKS)
        for (const [oldest] of this.#blocks) {
          this.#blocks.delete(oldest)
          break
        }
    }
    return block.subarray(position - start, position - start + length)
  }

  #readUpTo(position: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    let done = 0
    try {
      while (done < length) {
        const count = readSync(this.#file, bytes, done, length - done, position + done)
        if (count === 0) break
        done += count
      }
    } catch (error) {
      throw systemError(this.path, error)
    }
    this.bytesRead += done
    return done === length ? bytes : bytes.subarray(0, done)
  }
}

function wholePage(bytes: Buffer): PageBytes {
  return {
    length: bytes.length,
    head: bytes,
    slice: (start, length) => bytes.subarray(start, start + length),
  }
}

/** The page of an inline bucket, which lies in the value of its row. */
export function inlinePage(value: Buffer): TreePage | string {
  const header = parseHeader(value, 0)
  if (typeof header === 'string') return `of an inline bucket ${header}`
  if (header.kind !== 'leaf') return 'of an inline bucket is no leaf'
  if (header.overflow !== 0) return 'of an inline bucket has an overflow'
  const page = new TreePage(header, wholePage(value))
  const fault = page.fault()
  return fault === undefined ? page : `of an inline bucket ${fault}`
}
