import { damagedError } from '../refusal.ts'
import { type Meta, PAGE_HEADER_BYTES } from './meta-page.ts'
import { blockOf, type PageHeader, type PagePlace, parseHeader, TreePage, tableBytes } from './page.ts'
import type { PageCache } from './page-cache.ts'

/** Of a longer page only the table of its elements is kept; keys and values are read when they are asked for. */
const WHOLE_PAGE_BYTES = 1024 * 1024
/** Where its elements lie a page says in 32 bits, and how long they are too. */
const LONGEST_PAGE_BYTES = 2 ** 34

/**
 * Reads the pages that one meta page leads to. What it gives out are views of memory that is never written again. All
 * its methods throw `STORE_DAMAGED` for what cannot be read as a page.
 */
export class PageSource {
  readonly path: string
  readonly meta: Meta
  /** Pages that the file has of those that the meta page counts: no walk visits more. */
  readonly pageCount: number
  readonly #cache: PageCache
  readonly #fileBytes: number
  readonly #readBefore: number

  constructor(path: string, cache: PageCache, meta: Meta, fileBytes: number) {
    this.path = path
    this.#cache = cache
    this.#fileBytes = fileBytes
    this.#readBefore = cache.bytesRead
    this.meta = meta
    this.pageCount = Math.min(meta.pageCount, Math.ceil(fileBytes / meta.pageBytes))
  }

  /** Bytes that were read from the file since it was made. */
  get bytesRead(): number {
    return this.#cache.bytesRead - this.#readBefore
  }

  /** Reads a branch or a leaf. */
  treePage(id: number): TreePage {
    const header = this.header(id)
    if (header.kind !== 'branch' && header.kind !== 'leaf') {
      throw this.damaged(id, `is of the kind ${header.kind}, where a branch or a leaf should be`)
    }
    if (header.overflow * this.meta.pageBytes > LONGEST_PAGE_BYTES) {
      throw this.damaged(id, `claims ${header.overflow} pages of overflow, more than its elements could fill`)
    }
    const page = new TreePage(header, this.#placeOf(header))
    const fault = page.fault()
    if (fault !== undefined) throw this.damaged(id, fault)
    return page
  }

  /** Reads the header of a page, which lies with its overflow within what the meta page counts. */
  header(id: number): PageHeader {
    const { pageBytes, pageCount } = this.meta
    if (id >= pageCount) throw this.damaged(id, `lies behind the last page, ${pageCount - 1}`)
    const run = this.#cache.run(id)
    const start = (id - run.first) * pageBytes
    const header =
      start + PAGE_HEADER_BYTES > run.length
        ? 'lies behind the end of the file'
        : parseHeader(run.block.view, start, id)
    if (typeof header === 'string') throw this.damaged(id, header)
    if (header.overflow >= pageCount - id)
      throw this.damaged(id, `claims ${header.overflow} pages of overflow`)
    return header
  }

  /** Reads bytes anywhere in the file. */
  read(position: number, length: number): Buffer {
    // Memory is asked for only where the file has so many bytes.
    if (position + length <= this.#fileBytes) {
      const bytes = this.#cache.read(position, length)
      if (bytes.length === length) return bytes
    }
    throw this.damaged(Math.floor(position / this.meta.pageBytes), 'lies behind the end of the file')
  }

  damaged(id: number, what: string): Error {
    return damagedError(this.path, `page ${id} ${what}`)
  }

  /** Where the bytes of a page are that {@link header} has read. */
  #placeOf(header: PageHeader): PagePlace {
    const { pageBytes } = this.meta
    const length = (header.overflow + 1) * pageBytes
    const run = this.#cache.runOf(header.id, header.overflow + 1)
    if (run !== undefined) {
      const start = (header.id - run.first) * pageBytes
      if (start + length > run.length) throw this.damaged(header.id, 'lies behind the end of the file')
      return { block: run.block, start, length, far: null }
    }
    const position = header.id * pageBytes
    if (length <= WHOLE_PAGE_BYTES) {
      return { block: blockOf(this.read(position, length)), start: 0, length, far: null }
    }
    const table = blockOf(this.read(position, Math.min(tableBytes(header), length)))
    return { block: table, start: 0, length, far: (at, bytes) => this.read(position + at, bytes) }
  }
}

/** The page of an inline bucket, from the value of its row, in which it lies behind the bucket's own header. */
export function inlinePage({ block, start, length, far }: PagePlace): TreePage | string {
  const place = { block, start: start + PAGE_HEADER_BYTES, length: length - PAGE_HEADER_BYTES, far }
  if (place.length < PAGE_HEADER_BYTES) return 'of an inline bucket is cut short'
  const header = parseHeader(block.view, place.start, 0)
  if (typeof header === 'string') return `of an inline bucket ${header}`
  if (header.kind !== 'leaf') return 'of an inline bucket is no leaf'
  if (header.overflow !== 0) return 'of an inline bucket has an overflow'
  const page = new TreePage(header, place)
  const fault = page.fault()
  return fault === undefined ? page : `of an inline bucket ${fault}`
}
