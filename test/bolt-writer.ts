/** Makes BoltDB files for tests, as small as they can be: all that is asked for at once, and nothing changed later. */

/** A bucket that is to be written. */
export interface BucketToWrite {
  /** Keys with their values; a nested bucket is an object. */
  readonly rows: Readonly<Record<string, string | Uint8Array | BucketToWrite>>
  readonly sequence?: bigint
  /** Whether it lies in the value of its row; default: where it has no nested ones and is short, as BoltDB does. */
  readonly inline?: boolean
}

/** How a file is to be written. */
export interface FileToWrite {
  readonly pageBytes?: number
  readonly transaction?: bigint
  /** Pages that are left free, and listed as such. */
  readonly free?: number
  /** Whether the file has a list of free pages; default true. */
  readonly freeList?: boolean
  /** At most so many elements in a page; default as many as fit. */
  readonly perPage?: number
}

const HEADER = 16
const ELEMENT = 16

/** An element of a page: a row of a leaf, or a child of a branch. */
export interface ElementToWrite {
  readonly key: Buffer
  readonly value: Buffer
  readonly isBucket: boolean
  /** The child; 0 in a leaf. */
  readonly page: number
}

/** Returns the bytes of a file whose root bucket has those rows. */
export function boltBytes(root: BucketToWrite['rows'], options: FileToWrite = {}): Buffer {
  return new BoltWriter(options).write(root)
}

class BoltWriter {
  readonly #pageBytes: number
  readonly #options: FileToWrite
  readonly #pages: Buffer[] = []
  #next = 2

  constructor(options: FileToWrite) {
    this.#options = options
    this.#pageBytes = options.pageBytes ?? 4096
  }

  write(rows: BucketToWrite['rows']): Buffer {
    const root = this.#tree(rows)
    const free = Array.from({ length: this.#options.free ?? 0 }, () => this.#take(1))
    const freeList = this.#options.freeList === false ? 0xffff_ffff_ffff_ffffn : BigInt(this.#freeList(free))
    const transaction = this.#options.transaction ?? 2n
    const metas = [0, 1].map((page) => {
      const its = BigInt(page) === transaction % 2n ? transaction : transaction - 1n
      return metaPage(page, this.#pageBytes, { root, freeList, pageCount: this.#next, transaction: its })
    })
    const all = Buffer.alloc(this.#next * this.#pageBytes)
    for (const page of [...metas, ...this.#pages])
      page.copy(all, Number(page.readBigUInt64LE(0)) * this.#pageBytes)
    return all
  }

  /** Writes the pages of a tree, and returns the number of its root. */
  #tree(rows: BucketToWrite['rows']): number {
    const elements = Object.entries(rows)
      .map(([name, value]) => this.#element(Buffer.from(name), value))
      .sort((a, b) => Buffer.compare(a.key, b.key))
    let level = this.#level(elements, 'leaf')
    while (level.length > 1) level = this.#level(level, 'branch')
    return level[0]?.page ?? this.#put([], 'leaf')
  }

  #element(key: Buffer, value: string | Uint8Array | BucketToWrite): ElementToWrite {
    if (typeof value === 'string') return { key, value: Buffer.from(value), isBucket: false, page: 0 }
    if (value instanceof Uint8Array) return { key, value: Buffer.from(value), isBucket: false, page: 0 }
    const header = Buffer.alloc(16)
    header.writeBigUInt64LE(value.sequence ?? 0n, 8)
    const inline = this.#inline(value)
    if (inline === undefined) header.writeBigUInt64LE(BigInt(this.#tree(value.rows)))
    return { key, value: Buffer.concat([header, inline ?? Buffer.alloc(0)]), isBucket: true, page: 0 }
  }

  #inline({ rows, inline }: BucketToWrite): Buffer | undefined {
    const values = Object.entries(rows)
    if (inline === false || values.some(([, value]) => isBucket(value))) return undefined
    // A page cannot count them all, and they would be too long anyway.
    if (inline !== true && values.length * ELEMENT > this.#pageBytes) return undefined
    const elements = values
      .map(([name, value]) => this.#element(Buffer.from(name), value))
      .sort((a, b) => Buffer.compare(a.key, b.key))
    const page = boltPage(0, elements, 'leaf', null)
    return inline === true || page.length <= this.#pageBytes / 4 ? page : undefined
  }

  /** Shares elements out among pages, and returns what refers to these. */
  #level(elements: readonly ElementToWrite[], kind: 'leaf' | 'branch'): ElementToWrite[] {
    const most = this.#options.perPage ?? Number.POSITIVE_INFINITY
    const groups: ElementToWrite[][] = []
    let room = 0
    for (const element of elements) {
      const bytes = ELEMENT + element.key.length + (kind === 'leaf' ? element.value.length : 0)
      const last = groups.at(-1)
      if (last === undefined || last.length >= most || (bytes > room && last.length >= 2)) {
        groups.push([element])
        room = this.#pageBytes - HEADER - bytes
      } else {
        last.push(element)
        room -= bytes
      }
    }
    return groups.map((group) => ({
      key: group[0]?.key ?? Buffer.alloc(0),
      value: Buffer.alloc(0),
      isBucket: false,
      page: this.#put(group, kind),
    }))
  }

  #put(elements: readonly ElementToWrite[], kind: 'leaf' | 'branch'): number {
    const bytes = boltPage(0, elements, kind, null).length
    const page = this.#take(Math.max(1, Math.ceil(bytes / this.#pageBytes)))
    this.#pages.push(boltPage(page, elements, kind, this.#pageBytes))
    return page
  }

  #freeList(free: readonly number[]): number {
    const wide = free.length >= 0xffff
    const bytes = HEADER + (free.length + (wide ? 1 : 0)) * 8
    const count = Math.ceil(bytes / this.#pageBytes)
    const page = this.#take(count)
    const buffer = Buffer.alloc(count * this.#pageBytes)
    writeHeader(buffer, { page, flags: 0x10, count: wide ? 0xffff : free.length, overflow: count - 1 })
    const ids = wide ? [free.length, ...free] : free
    for (const [index, id] of ids.entries()) buffer.writeBigUInt64LE(BigInt(id), HEADER + index * 8)
    this.#pages.push(buffer)
    return page
  }

  #take(pages: number): number {
    const first = this.#next
    this.#next += pages
    return first
  }
}

function isBucket(value: string | Uint8Array | BucketToWrite): value is BucketToWrite {
  return typeof value !== 'string' && !(value instanceof Uint8Array)
}

/** One page with its overflow; as long as its elements where no size is given. */
export function boltPage(
  page: number,
  elements: readonly ElementToWrite[],
  kind: 'leaf' | 'branch',
  pageBytes: number | null,
): Buffer {
  const table = HEADER + elements.length * ELEMENT
  const parts = elements.map(({ key, value }) => (kind === 'leaf' ? Buffer.concat([key, value]) : key))
  const used = table + parts.reduce((sum, part) => sum + part.length, 0)
  const pages = pageBytes === null ? 1 : Math.max(1, Math.ceil(used / pageBytes))
  const buffer = Buffer.alloc(pageBytes === null ? used : pages * pageBytes)
  writeHeader(buffer, {
    page,
    flags: kind === 'leaf' ? 0x02 : 0x01,
    count: elements.length,
    overflow: pages - 1,
  })
  let start = table
  for (const [index, element] of elements.entries()) {
    const at = HEADER + index * ELEMENT
    if (kind === 'leaf') {
      buffer.writeUInt32LE(element.isBucket ? 1 : 0, at)
      buffer.writeUInt32LE(start - at, at + 4)
      buffer.writeUInt32LE(element.key.length, at + 8)
      buffer.writeUInt32LE(element.value.length, at + 12)
    } else {
      buffer.writeUInt32LE(start - at, at)
      buffer.writeUInt32LE(element.key.length, at + 4)
      buffer.writeBigUInt64LE(BigInt(element.page), at + 8)
    }
    start += parts[index]?.copy(buffer, start) ?? 0
  }
  return buffer
}

/** Writes the header of a page. */
function writeHeader(
  buffer: Buffer,
  header: {
    readonly page: number
    readonly flags: number
    readonly count: number
    readonly overflow: number
  },
): void {
  buffer.writeBigUInt64LE(BigInt(header.page), 0)
  buffer.writeUInt16LE(header.flags, 8)
  buffer.writeUInt16LE(header.count, 10)
  buffer.writeUInt32LE(header.overflow, 12)
}

/** A meta page with its checksum. */
export function metaPage(
  page: number,
  pageBytes: number,
  meta: {
    readonly root: number
    readonly freeList: bigint
    readonly pageCount: number
    readonly transaction: bigint
  },
): Buffer {
  const buffer = Buffer.alloc(pageBytes)
  writeHeader(buffer, { page, flags: 0x04, count: 0, overflow: 0 })
  buffer.writeUInt32LE(0xed0cdaed, 16)
  buffer.writeUInt32LE(2, 20)
  buffer.writeUInt32LE(pageBytes, 24)
  buffer.writeBigUInt64LE(BigInt(meta.root), 32)
  buffer.writeBigUInt64LE(meta.freeList, 48)
  buffer.writeBigUInt64LE(BigInt(meta.pageCount), 56)
  buffer.writeBigUInt64LE(meta.transaction, 64)
  sealMeta(buffer)
  return buffer
}

/** Makes the checksum of a meta page right. */
export function sealMeta(buffer: Buffer): void {
  let hash = 0xcbf2_9ce4_8422_2325n
  for (const byte of buffer.subarray(16, 72)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100_0000_01b3n)
  }
  buffer.writeBigUInt64LE(hash, 72)
}
