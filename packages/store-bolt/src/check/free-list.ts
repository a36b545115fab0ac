import { isStoreError } from '@saltcod/store-core'
import { PAGE_HEADER_BYTES, pageNumber } from '../pages/meta-page.ts'
import { blockOf, type PageHeader } from '../pages/page.ts'
import type { PageSource } from '../pages/page-source.ts'

/** What a list of more pages than a header can count has in place of their number, which then comes first. */
const COUNT_FOLLOWS = 0xffff
const ID_BYTES = 8
/** The list of a large file is long, and read piece by piece. */
const IDS_AT_ONCE = 8 * 1024
/** With so many that cannot be, it is no list: the holes of a file read as zeros. */
const MOST_PROBLEMS = 1_000

/** What {@link readFreeList} meets. */
export interface FreeListReader {
  onFree(page: number): void
  /** Something that cannot be read. */
  onProblem(page: number, what: string): void
}

/**
 * Reads the list of free pages. Returns its header; null where the file has none, or where it cannot be read, which
 * the reader is told.
 */
export function readFreeList(source: PageSource, reader: FreeListReader): PageHeader | null {
  const first = source.meta.freeListPage
  if (first === null) return null
  try {
    const header = source.header(first)
    if (header.kind !== 'freelist') throw source.damaged(first, `invalid type: ${header.kind}`)
    readIds(source, header, reader)
    return header
  } catch (error) {
    if (!isStoreError(error, 'STORE_DAMAGED')) throw error
    reader.onProblem(first, `the list of free pages cannot be read: ${error.message}`)
    return null
  }
}

function readIds(source: PageSource, header: PageHeader, reader: FreeListReader): void {
  const { pageBytes } = source.meta
  const start = header.id * pageBytes + PAGE_HEADER_BYTES
  const room = Math.floor(((header.overflow + 1) * pageBytes - PAGE_HEADER_BYTES) / ID_BYTES)
  const counted = header.count === COUNT_FOLLOWS
  const count = counted ? pageNumber(blockOf(source.read(start, ID_BYTES)).view, 0) : header.count
  const offset = counted ? 1 : 0
  if (count === undefined || count + offset > room) {
    throw source.damaged(header.id, `claims more free pages than it has room for`)
  }
  if (count > source.meta.pageCount) {
    throw source.damaged(header.id, `lists ${count} free pages of a file that has ${source.meta.pageCount}`)
  }
  let problems = 0
  for (let done = 0; done < count; done += IDS_AT_ONCE) {
    const some = Math.min(IDS_AT_ONCE, count - done)
    const { view } = blockOf(source.read(start + (offset + done) * ID_BYTES, some * ID_BYTES))
    for (let index = 0; index < some; index += 1) {
      const page = pageNumber(view, index * ID_BYTES)
      if (page === undefined || page < 2 || page >= source.meta.pageCount) {
        problems += 1
        if (problems > MOST_PROBLEMS) {
          throw source.damaged(
            header.id,
            `lists more than ${MOST_PROBLEMS} pages that the file does not have`,
          )
        }
        reader.onProblem(
          header.id,
          `page ${view.getBigUint64(index * ID_BYTES, true)}: out of bounds of the free list`,
        )
      } else reader.onFree(page)
    }
  }
}
