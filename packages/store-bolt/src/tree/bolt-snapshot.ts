import { type Meta, PAGE_HEADER_BYTES } from '../pages/meta-page.ts'
import { blockOf, type PagePlace } from '../pages/page.ts'
import type { PageSource } from '../pages/page-source.ts'
import { BoltBucket, type BoltKey } from './bolt-bucket.ts'
import { BucketRoots } from './bucket-roots.ts'

const SOURCES = new WeakMap<BoltSnapshot, PageSource>()

/** The file as one transaction left it, for as long as the function runs that got it. */
export class BoltSnapshot {
  readonly path: string
  /** The transaction that it shows. */
  readonly transaction: bigint
  readonly pageBytes: number
  /** Pages that the file has given out, with the two meta pages and the free ones. */
  readonly pageCount: number
  /** The bucket of all buckets. */
  readonly root: BoltBucket
  readonly #source: PageSource
  #ended = false

  constructor(source: PageSource, maxValueBytes: number) {
    const { meta } = source
    this.path = source.path
    this.transaction = meta.transaction
    this.pageBytes = meta.pageBytes
    this.pageCount = meta.pageCount
    this.#source = source
    SOURCES.set(this, source)
    const context = { source, maxValueBytes, ended: () => this.#ended, roots: new BucketRoots() }
    this.root = new BoltBucket(context, null, null, meta.rootPage, rootValue(meta))
  }

  /** Bytes that were read from the file until now. */
  get bytesRead(): number {
    return this.#source.bytesRead
  }

  /** Returns the bucket that a path of names leads to, or undefined. Throws what `BoltBucket.rows` throws. */
  bucket(path: readonly BoltKey[]): BoltBucket | undefined {
    let bucket: BoltBucket | undefined = this.root
    for (const name of path) bucket = bucket?.bucket(name)
    return bucket
  }

  /** From now on its buckets refuse to be read; `BoltFile.read` calls it. */
  end(): void {
    this.#ended = true
  }
}

/** The root as the value of a row would have it. */
function rootValue({ rootPage, rootSequence }: Meta): PagePlace {
  const bytes = Buffer.alloc(PAGE_HEADER_BYTES)
  bytes.writeBigUInt64LE(BigInt(rootPage))
  bytes.writeBigUInt64LE(rootSequence, 8)
  return { block: blockOf(bytes), start: 0, length: bytes.length, far: null }
}

/** The pages that a snapshot is read from, for what looks at them rather than at rows. Throws `TypeError` for none. */
export function sourceOf(snapshot: BoltSnapshot): PageSource {
  const source = SOURCES.get(snapshot)
  if (source === undefined) throw new TypeError('this is no snapshot of a BoltDB file')
  return source
}
