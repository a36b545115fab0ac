/** The meta pages of a BoltDB file: the first two, of which the valid one with the higher transaction counts. */

/** Where the fields of a page begin, behind its header. */
export const PAGE_HEADER_BYTES: number = 16

/** The bytes of a page that a meta page uses. */
export const META_BYTES: number = 80

/** Magic number, as the file holds it. */
const MAGIC = 0xed0cdaed
const VERSION = 2
const CHECKED_FROM = PAGE_HEADER_BYTES
const CHECKSUM_AT = 72
const SMALLEST_PAGE = 512
const LARGEST_PAGE = 16 * 1024 * 1024
/** What stands for the list of free pages where none is written. */
const NO_FREE_LIST = 0xffff_ffff_ffff_ffffn
const FNV_OFFSET = 0xcbf2_9ce4_8422_2325n
const FNV_PRIME = 0x100_0000_01b3n

/** What a valid meta page says. */
export interface Meta {
  readonly pageBytes: number
  /** The transaction that wrote it. */
  readonly transaction: bigint
  /** Page of the root of the bucket of all buckets. */
  readonly rootPage: number
  readonly rootSequence: bigint
  /** First page of the list of free pages, or null where the file has none. */
  readonly freeListPage: number | null
  /** The first page behind all that the file has given out. */
  readonly pageCount: number
}

/** Reads a meta page from its first 80 bytes. Returns what is wrong as text. */
export function parseMeta(bytes: Buffer): Meta | string {
  if (bytes.length < META_BYTES) return 'lies behind the end of the file'
  if (!hasMagic(bytes)) return 'does not begin as a meta page does'
  const version = bytes.readUInt32LE(20)
  if (version !== VERSION) return `is of version ${version} of the format, and only ${VERSION} is known`
  if (bytes.readBigUInt64LE(CHECKSUM_AT) !== checksumOf(bytes)) return 'fails its checksum'
  const pageBytes = bytes.readUInt32LE(24)
  if (pageBytes < SMALLEST_PAGE || pageBytes > LARGEST_PAGE || (pageBytes & (pageBytes - 1)) !== 0) {
    return `names ${pageBytes} as the size of a page`
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const rootPage = pageNumber(view, 32)
  const pageCount = pageNumber(view, 56)
  const hasFreeList = bytes.readBigUInt64LE(48) !== NO_FREE_LIST
  const freeListPage = hasFreeList ? pageNumber(view, 48) : null
  if (rootPage === undefined || pageCount === undefined || freeListPage === undefined) {
    return 'names a page that no file can have'
  }
  return {
    pageBytes,
    transaction: bytes.readBigUInt64LE(64),
    rootPage,
    rootSequence: bytes.readBigUInt64LE(40),
    freeListPage,
    pageCount,
  }
}

/** Tells whether some bytes begin as a meta page does. */
export function hasMagic(bytes: Buffer): boolean {
  return bytes.length >= 20 && bytes.readUInt32LE(16) === MAGIC
}

/** Reads the number of a page. Returns undefined where it is larger than any file could have. */
export function pageNumber(view: DataView, at: number): number | undefined {
  const high = view.getUint32(at + 4, true)
  return high > 0xffff ? undefined : high * 0x1_0000_0000 + view.getUint32(at, true)
}

/** FNV-1a of 64 bits, over the fields before the checksum. */
function checksumOf(bytes: Buffer): bigint {
  let hash = FNV_OFFSET
  for (let at = CHECKED_FROM; at < CHECKSUM_AT; at += 1) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(bytes[at] ?? 0)) * FNV_PRIME)
  }
  return hash
}
