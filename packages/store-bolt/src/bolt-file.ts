import { setTimeout as sleep } from 'node:timers/promises'
import { isStoreError } from '@saltcod/store-core'
import { closeFile, openRegularFile } from './open-regular-file.ts'
import {
  fileBytesOf,
  looksLikeBolt,
  type MetaPages,
  readMetaBytes,
  readMetaPages,
} from './pages/current-meta.ts'
import type { Meta } from './pages/meta-page.ts'
import { PageCache } from './pages/page-cache.ts'
import { PageSource } from './pages/page-source.ts'
import { changingError, closedError } from './refusal.ts'
import type { BoltKey, BoltRow } from './tree/bolt-bucket.ts'
import { BoltSnapshot } from './tree/bolt-snapshot.ts'
import {
  type BoltKeyRow,
  type BoltPiece,
  type BoltPieceOptions,
  type BoltVisit,
  PieceWalk,
  pathOf,
  type RowsOf,
} from './tree/read-piece.ts'

const DEFAULT_TRIES = 20
const DEFAULT_MAX_VALUE_BYTES = 64 * 1024 * 1024
const LONGEST_PAUSE_MS = 100
const rowsOf: RowsOf<BoltRow> = (bucket, range) => bucket.rows(range)
const keysOf: RowsOf<BoltKeyRow> = (bucket, range) => bucket.keys(range)
const OPTIONS = ['tries', 'maxValueBytes', 'reusesMemory']

/** Options of {@link openBoltFile}. */
export interface BoltFileOptions {
  /**
   * How often something is read whose file changes meanwhile, before `STORE_CHANGING`; default 20, within two seconds.
   */
  readonly tries?: number
  /** Longest value that is read; default 64 MiB. A damaged length could claim as much as the file has. */
  readonly maxValueBytes?: number
  /**
   * Whether the memory of keys and values is used again once the function is over that got them, as BoltDB itself
   * does: what is to stay is then copied by whoever wants it. A walk that decodes what it meets is faster with it and
   * needs less memory. Default false: keys and values stay as they are.
   */
  readonly reusesMemory?: boolean
}

/** What the meta pages of a file say, as they are now. */
export interface BoltInfo {
  readonly path: string
  readonly fileBytes: number
  readonly pageBytes: number
  /** The transaction that counts. */
  readonly transaction: bigint
  /** Pages that were given out until then. */
  readonly pageCount: number
  readonly rootPage: number
  /** Where the list of free pages begins; null where the writer keeps none in the file. */
  readonly freeListPage: number | null
  /** Of both meta pages: the transaction, or what is wrong with it. */
  readonly metaPages: readonly {
    readonly page: 0 | 1
    readonly transaction: bigint | null
    readonly problem: string | null
  }[]
}

/**
 * A BoltDB file that is open for reading. It is never locked, so its owner never waits, and nothing is written. BoltDB
 * does not know of such a reader and may use pages again that it still reads, one transaction after the one that freed
 * them. So whatever was read counts only if the newest meta page is the same afterwards; {@link read} looks, and reads
 * again where it is not.
 */
export class BoltFile {
  readonly path: string
  readonly #file: number
  readonly #tries: number
  readonly #maxValueBytes: number
  readonly #reusesMemory: boolean
  #closed = false
  #lastMeta: MetaPages | undefined
  #cache: PageCache | undefined
  /** The meta pages that counted as it was read. */
  #cacheFor: MetaPages | undefined
  /** Snapshots that are read now. */
  #reading = 0

  constructor(path: string, file: number, options: BoltFileOptions) {
    this.path = path
    this.#file = file
    this.#tries = options.tries ?? DEFAULT_TRIES
    this.#maxValueBytes = options.maxValueBytes ?? DEFAULT_MAX_VALUE_BYTES
    this.#reusesMemory = options.reusesMemory ?? false
  }

  /** Reads the meta pages. Throws `STORE_CLOSED`, `STORE_FOREIGN` and `STORE_DAMAGED`. */
  info(): BoltInfo {
    const { pages, current } = this.#metaPages()
    return {
      path: this.path,
      fileBytes: fileBytesOf(this.path, this.#file),
      pageBytes: current.pageBytes,
      transaction: current.transaction,
      pageCount: current.pageCount,
      rootPage: current.rootPage,
      freeListPage: current.freeListPage,
      metaPages: pages.map(({ page, meta }) =>
        typeof meta === 'string'
          ? { page, transaction: null, problem: meta }
          : { page, transaction: meta.transaction, problem: null },
      ),
    }
  }

  /**
   * Calls a function with the file as the newest transaction left it, and resolves with its result if no other one was
   * committed meanwhile. Else it is called again, with a new snapshot, after a pause: so it must do nothing but read,
   * and the shorter it is the sooner it succeeds. What it throws counts as its result does, because pages that were
   * used again look like damage. It may be asynchronous. Rejects with `STORE_CHANGING` after so many tries, with what
   * the function throws, and with `STORE_CLOSED`.
   */
  async read<T>(read: (snapshot: BoltSnapshot) => T | Promise<T>): Promise<T> {
    return await this.#untilCurrent(read, () => {})
  }

  /**
   * Reads the rows of a bucket in pieces, each within one snapshot: for a bucket that is too large to be read between
   * two commits of the file's owner. `visit` makes of each row what is wanted, nested buckets included, and may be
   * called again for the same row. Where the file changes between two pieces the walk goes on behind its last key:
   * rows that are there all the time come exactly once, as they were at some moment of the walk; rows that come or go
   * meanwhile may be seen or not. `transaction` of the pieces tells whether it was so. A bucket that is not there has
   * no pieces. Throws what {@link read} does, and what `visit` throws.
   */
  async *pieces<T>(
    path: readonly BoltKey[],
    visit: BoltVisit<T>,
    options: BoltPieceOptions = {},
  ): AsyncGenerator<BoltPiece<T>, void, undefined> {
    yield* this.#walked(new PieceWalk(pathOf(path), rowsOf, visit, options))
  }

  /** Reads the keys alone likewise, and no value, however long. The keys are copies, which stay. */
  async *keyPieces(
    path: readonly BoltKey[],
    options: BoltPieceOptions = {},
  ): AsyncGenerator<BoltPiece<BoltKeyRow>, void, undefined> {
    const copy = ({ key, isBucket }: BoltKeyRow): BoltKeyRow => ({ key: Buffer.from(key), isBucket })
    yield* this.#walked(new PieceWalk(pathOf(path), keysOf, copy, options))
  }

  async *#walked<R extends { readonly key: Buffer }, T>(
    walk: PieceWalk<R, T>,
  ): AsyncGenerator<BoltPiece<T>, void, undefined> {
    while (!walk.isOver) {
      const piece = walk.accept(await this.#untilCurrent(walk.read, () => walk.shrink()))
      if (piece !== undefined) yield piece
    }
  }

  /** Closes the file; closing it again does nothing. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#cache = undefined
    await closeFile(this.#file)
  }

  async #untilCurrent<T>(
    read: (snapshot: BoltSnapshot) => T | Promise<T>,
    onChanged: () => void,
  ): Promise<T> {
    for (let tried = 1; ; tried += 1) {
      const metaPages = this.#metaPages()
      const outcome = await this.#attempt(metaPages, read)
      if (this.#isCurrent(metaPages)) {
        if ('error' in outcome) throw outcome.error
        return outcome.value
      }
      if (tried >= this.#tries) throw changingError(this.path, tried)
      onChanged()
      await sleep(Math.min(2 ** tried, LONGEST_PAUSE_MS))
    }
  }

  async #attempt<T>(
    metaPages: MetaPages,
    read: (snapshot: BoltSnapshot) => T | Promise<T>,
  ): Promise<{ readonly value: T } | { readonly error: unknown }> {
    const cache = this.#cacheOf(metaPages)
    const fileBytes = fileBytesOf(this.path, this.#file)
    const source = new PageSource(this.path, cache, metaPages.current, fileBytes)
    const snapshot = new BoltSnapshot(source, this.#maxValueBytes)
    this.#reading += 1
    try {
      return { value: await read(snapshot) }
    } catch (error) {
      return { error }
    } finally {
      snapshot.end()
      this.#reading -= 1
      if (this.#reusesMemory && this.#reading === 0) cache.reuse()
    }
  }

  /** What was read while the same meta pages counted is still right, for nothing that they lead to has changed. */
  #cacheOf(metaPages: MetaPages): PageCache {
    if (this.#cacheFor?.current.pageBytes !== metaPages.current.pageBytes) this.#cache = undefined
    else if (this.#cacheFor !== metaPages) this.#cache?.forget()
    this.#cacheFor = metaPages
    this.#cache ??= new PageCache(this.path, this.#file, metaPages.current.pageBytes)
    return this.#cache
  }

  #metaPages(): MetaPages {
    if (this.#closed) throw closedError(this.path)
    const last = this.#lastMeta
    if (last !== undefined && this.#isSame(last)) return last
    this.#lastMeta = readMetaPages(this.path, this.#file)
    return this.#lastMeta
  }

  #isSame({ bytes, current }: MetaPages): boolean {
    return readMetaBytes(this.path, this.#file, current.pageBytes).equals(bytes)
  }

  /**
   * A meta page that is being written may be read half old, half new, and fails its checksum: then the commit is not
   * over, and nothing has begun that could use pages again.
   */
  #isCurrent(metaPages: MetaPages): boolean {
    if (this.#closed) throw closedError(this.path)
    if (this.#isSame(metaPages)) return true
    return isSameMeta(readMetaPages(this.path, this.#file).current, metaPages.current)
  }
}

/** A file that another one was written over may have the same transaction, and everything else elsewhere. */
function isSameMeta(one: Meta, other: Meta): boolean {
  return (Object.keys(one) as (keyof Meta)[]).every((field) => one[field] === other[field])
}

/**
 * Opens a BoltDB file for reading, whether or not a program has it open. Rejects with `STORE_NOT_FOUND`,
 * `STORE_FOREIGN`, `STORE_DAMAGED` (neither meta page can be trusted), `STORE_PERMISSION`, and with a `TypeError` for
 * an option that there is not.
 */
export async function openBoltFile(path: string, options: BoltFileOptions = {}): Promise<BoltFile> {
  refuseUnknown(options)
  const file = openRegularFile(path)
  try {
    readMetaPages(path, file)
  } catch (error) {
    await closeFile(file)
    throw error
  }
  return new BoltFile(path, file, options)
}

function refuseUnknown(options: BoltFileOptions): void {
  for (const name of Object.keys(options)) {
    if (!OPTIONS.includes(name)) {
      throw new TypeError(`openBoltFile has no option ${name}; it has ${OPTIONS.join(', ')}`)
    }
  }
}

/**
 * Tells whether a path holds a BoltDB file, damaged or not. Rejects with `STORE_NOT_FOUND` and `STORE_PERMISSION`;
 * what is no file of bytes is none.
 */
export async function isBoltFile(path: string): Promise<boolean> {
  let file: number
  try {
    file = openRegularFile(path)
  } catch (error) {
    if (isStoreError(error, 'STORE_FOREIGN')) return false
    throw error
  }
  try {
    return looksLikeBolt(path, file)
  } finally {
    await closeFile(file)
  }
}
