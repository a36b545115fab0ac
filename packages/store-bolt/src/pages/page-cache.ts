import { readSync } from 'node:fs'
import { systemError } from '../refusal.ts'
import { type Block, blockOf } from './page.ts'

/** More is never read at once: what is next to a page is not always wanted. */
const MOST_BYTES_AT_ONCE = 32 * 1024
const MOST_PAGES_AT_ONCE = 16
/** Blocks share memory in so large pieces, for to get and to give back memory costs as much as to read. */
const SLAB_BYTES = 64 * 1024
const KEPT_BYTES = 4 * 1024 * 1024
/** After so many reads it is looked at whether they were worth it. */
const READS_PER_LOOK = 64
const WORTH_MORE = 0.6
const WORTH_LESS = 0.3

/** Pages that lie one behind the other and were read at once. */
export interface PageRun {
  readonly block: Block
  readonly first: number
  /** The first page behind it. */
  readonly end: number
  /** Bytes that were read: fewer than the pages have where the file ends, and than the block. */
  readonly length: number
  /** A bit for each page that somebody has asked for. */
  used: number
}

/**
 * Reads the pages of a file, and keeps those that it read last. It reads the pages next to the one that is asked for
 * too: those before it, because BoltDB writes a page behind those that it leads to, or those behind it where the one
 * before is known. How many they are follows from how many of them were asked for: a file that was written at once has
 * a tree in one place, and one that has lived long has it everywhere.
 */
export class PageCache {
  readonly pageBytes: number
  /** Bytes that were read from the file until now. */
  bytesRead = 0
  readonly #path: string
  readonly #file: number
  readonly #mostAtOnce: number
  #atOnce: number
  #reads = 0
  #pagesRead = 0
  #pagesUsed = 0
  readonly #byPage = new Map<number, PageRun>()
  /** All of them; the oldest one goes first. */
  readonly #runs = new Set<PageRun>()
  #keptBytes = 0
  /** Blocks that went, to which somebody may still have views. */
  #gone: Block[] = []
  /** Blocks that nobody has views of, to be written again. */
  #spare: Block[] = []
  #slab: Buffer = Buffer.alloc(0)
  #slabUsed = 0

  constructor(path: string, file: number, pageBytes: number) {
    this.#path = path
    this.#file = file
    this.pageBytes = pageBytes
    const most = Math.floor(MOST_BYTES_AT_ONCE / pageBytes)
    this.#mostAtOnce = Math.min(Math.max(1, most), MOST_PAGES_AT_ONCE)
    this.#atOnce = Math.ceil(this.#mostAtOnce / 2)
  }

  /** The pages among which one is. */
  run(page: number): PageRun {
    const run = this.#byPage.get(page) ?? this.#readAround(page)
    this.#use(run, page)
    return run
  }

  /** The pages among which a page and those of its overflow are; undefined where they are too many to be kept. */
  runOf(page: number, count: number): PageRun | undefined {
    let run = this.run(page)
    if (page + count > run.end) {
      if (count > this.#atOnce) return undefined
      run = this.#readFrom(page, count)
    }
    for (let one = page; one < page + count; one += 1) this.#use(run, one)
    return run
  }

  /** Counts a page of a run as one that was worth to be read. */
  #use(run: PageRun, page: number): void {
    const bit = 1 << (page - run.first)
    if ((run.used & bit) !== 0) return
    run.used |= bit
    this.#pagesUsed += 1
  }

  /** Bytes anywhere in the file; fewer where it ends before. */
  read(position: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(length)
    return bytes.subarray(0, this.#fill(bytes, length, position))
  }

  /** Forgets what was read, for the file is another now. */
  forget(): void {
    for (const { block } of this.#runs) this.#putAside(block)
    this.#runs.clear()
    this.#keptBytes = 0
    this.#byPage.clear()
  }

  /** From now on nobody looks any more at blocks that went: they may be written again. */
  reuse(): void {
    if (this.#gone.length === 0) return
    const gone = this.#gone
    this.#gone = []
    for (const block of gone) if (this.#fits(block)) this.#spare.push(block)
  }

  #readAround(page: number): PageRun {
    let first = page
    while (first > 0 && page - first + 1 < this.#atOnce && !this.#byPage.has(first - 1)) first -= 1
    return first === page ? this.#readFrom(page, 1) : this.#readRun(first, page + 1)
  }

  /** Reads so many pages, and as many behind them as are not known and may be read at once. */
  #readFrom(first: number, count: number): PageRun {
    let end = first + count
    while (end - first < this.#atOnce && !this.#byPage.has(end)) end += 1
    return this.#readRun(first, end)
  }

  #readRun(first: number, end: number): PageRun {
    const block = this.#room()
    const length = this.#fill(block.bytes, (end - first) * this.pageBytes, first * this.pageBytes)
    const run = { block, first, end, length, used: 0 }
    for (let page = first; page < end; page += 1) this.#byPage.set(page, run)
    this.#runs.add(run)
    this.#keptBytes += block.bytes.length
    while (this.#keptBytes > KEPT_BYTES && this.#runs.size > 1) this.#forgetOldest()
    this.#pagesRead += end - first
    this.#reads += 1
    if (this.#reads === READS_PER_LOOK) this.#look()
    return run
  }

  /** Reads more at once, or less, from now on. */
  #look(): void {
    const worth = this.#pagesUsed / this.#pagesRead
    const before = this.#atOnce
    if (worth > WORTH_MORE) this.#atOnce = Math.min(this.#mostAtOnce, before * 2)
    else if (worth < WORTH_LESS) this.#atOnce = Math.max(1, before >> 1)
    this.#reads = 0
    this.#pagesRead = 0
    this.#pagesUsed = 0
    if (this.#atOnce !== before) this.#spare = []
  }

  #forgetOldest(): void {
    for (const run of this.#runs) {
      this.#runs.delete(run)
      this.#keptBytes -= run.block.bytes.length
      for (let page = run.first; page < run.end; page += 1) {
        if (this.#byPage.get(page) === run) this.#byPage.delete(page)
      }
      this.#putAside(run.block)
      return
    }
  }

  #putAside(block: Block): void {
    const bytes = (this.#gone.length + this.#spare.length) * block.bytes.length
    if (this.#fits(block) && bytes < KEPT_BYTES) this.#gone.push(block)
  }

  #fits(block: Block): boolean {
    return block.bytes.length === this.#atOnce * this.pageBytes
  }

  #room(): Block {
    const spare = this.#spare.pop()
    if (spare !== undefined) return spare
    const bytes = this.#atOnce * this.pageBytes
    if (this.#slabUsed + bytes > this.#slab.length) {
      this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes))
      this.#slabUsed = 0
    }
    this.#slabUsed += bytes
    return blockOf(this.#slab.subarray(this.#slabUsed - bytes, this.#slabUsed))
  }

  /** Fills the beginning of a buffer. Returns how many bytes there were. */
  #fill(bytes: Buffer, length: number, position: number): number {
    let done = 0
    try {
      while (done < length) {
        const count = readSync(this.#file, bytes, done, length - done, position + done)
        if (count === 0) break
        done += count
      }
    } catch (error) {
      throw systemError(this.#path, error)
    }
    this.bytesRead += done
    return done
  }
}
