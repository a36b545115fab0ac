import { fstatSync, readSync } from 'node:fs'
import { foreignError, lostError, systemError } from '../refusal.ts'
import { hasMagic, META_BYTES, type Meta, parseMeta } from './meta-page.ts'

const SMALLEST_PAGE = 512
const LARGEST_PAGE = 16 * 1024 * 1024

/** One of the two meta pages. */
export interface MetaPage {
  readonly page: 0 | 1
  /** What it says, or what is wrong with it. */
  readonly meta: Meta | string
}

/** Both meta pages of a file, and which of them counts. */
export interface MetaPages {
  readonly pages: readonly [MetaPage, MetaPage]
  readonly current: Meta
  /** The bytes of both, by which it is seen whether they have changed. */
  readonly bytes: Buffer
}

/**
 * Reads both meta pages. The one with the higher transaction counts, or the only one that is valid: a commit that is
 * under way, or was cut short, has written to the other one. Throws `STORE_FOREIGN` where neither is one, and
 * `STORE_DAMAGED` where neither can be trusted.
 */
export function readMetaPages(path: string, file: number): MetaPages {
  const first = readAt(path, file, 0)
  const zero = parseMeta(first)
  const pageBytes = typeof zero === 'string' ? sizeBySecond(path, file) : zero.pageBytes
  const second = pageBytes === undefined ? Buffer.alloc(0) : readAt(path, file, pageBytes)
  const one = pageBytes === undefined ? 'cannot be found' : ofSize(parseMeta(second), pageBytes)
  const current = newest(zero, one)
  if (current === undefined) throw noMeta(path, file, first, [zero, one])
  return {
    pages: [
      { page: 0, meta: zero },
      { page: 1, meta: one },
    ],
    current,
    bytes: Buffer.concat([first, second]),
  }
}

/** Reads the bytes of both meta pages again, of a file whose pages have that size. */
export function readMetaBytes(path: string, file: number, pageBytes: number): Buffer {
  return Buffer.concat([readAt(path, file, 0), readAt(path, file, pageBytes)])
}

/** Tells whether a file is of BoltDB, damaged or not: whether either meta page begins as one. */
export function looksLikeBolt(path: string, file: number): boolean {
  if (hasMagic(readAt(path, file, 0))) return true
  for (let at = SMALLEST_PAGE; at <= LARGEST_PAGE; at *= 2) {
    if (hasMagic(readAt(path, file, at))) return true
  }
  return false
}

/** Where the first page tells nothing, the second one is looked for at every size that a page can have. */
function sizeBySecond(path: string, file: number): number | undefined {
  for (let size = SMALLEST_PAGE; size <= LARGEST_PAGE; size *= 2) {
    const meta = parseMeta(readAt(path, file, size))
    if (typeof meta !== 'string' && meta.pageBytes === size) return size
  }
  return undefined
}

function ofSize(meta: Meta | string, pageBytes: number): Meta | string {
  if (typeof meta === 'string' || meta.pageBytes === pageBytes) return meta
  return `names ${meta.pageBytes} as the size of a page, and lies at ${pageBytes}`
}

function newest(zero: Meta | string, one: Meta | string): Meta | undefined {
  if (typeof zero === 'string') return typeof one === 'string' ? undefined : one
  if (typeof one === 'string') return zero
  return one.transaction > zero.transaction ? one : zero
}

function noMeta(
  path: string,
  file: number,
  first: Buffer,
  [zero, one]: readonly [Meta | string, Meta | string],
): Error {
  if (looksLikeBolt(path, file)) {
    return lostError(path, `neither meta page can be trusted; page 0 ${String(zero)}, page 1 ${String(one)}`)
  }
  return foreignError(path, first.length === 0 ? 'is empty' : 'has no meta page of BoltDB')
}

function readAt(path: string, file: number, position: number): Buffer {
  const bytes = Buffer.alloc(META_BYTES)
  try {
    return bytes.subarray(0, readSync(file, bytes, 0, META_BYTES, position))
  } catch (error) {
    throw systemError(path, error)
  }
}

/** How long the file is now. */
export function fileBytesOf(path: string, file: number): number {
  try {
    return fstatSync(file).size
  } catch (error) {
    throw systemError(path, error)
  }
}
