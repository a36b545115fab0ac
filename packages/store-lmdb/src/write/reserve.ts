import { close, closeSync, fstatSync, openSync } from 'node:fs'

import { extendFile } from '../file/extended-file.ts'
import { spareBytes } from '../file/free-space.ts'
import { spareDescriptors } from '../file/spare-descriptors.ts'
import type { Probe } from '../native/commit-thread.ts'
import { fullError, messageOf } from '../refusal.ts'

const MEBIBYTE = 1024 * 1024

/** The reserve for everybody is a quarter of what the store uses, within these bounds. */
const MIN_RESERVE_BYTES = 4 * MEBIBYTE
const MAX_RESERVE_BYTES = 64 * MEBIBYTE

/** The most that one refill between two groups adds, so that nobody waits long for it. */
const REFILL_BYTES = 4 * MEBIBYTE

/**
 * What is kept for writes that end or free something, half of what the store uses within these bounds: a stop or a
 * removal needs pages before it gives any back, and the estimate for one of them may come to 3 MiB.
 */
const MIN_EMERGENCY_BYTES = 4 * MEBIBYTE
const MAX_EMERGENCY_BYTES = 16 * MEBIBYTE

/** Extends an open file from one position to another, as {@link extendFile} does. */
export type Extension = (file: number, fromBytes: number, toBytes: number) => Promise<void>

/** Limits of a {@link Reserve}. */
export interface ReserveOptions {
  /** The most bytes that the data file may have. */
  readonly quotaBytes: number
  /** Bytes that the file system keeps for others: the file does not grow into them. */
  readonly lowSpaceBytes: number
}

/**
 * Room at the end of the data file that is written ahead with zeros, so that a full disk shows itself here,
 * where it can be refused, and never inside LMDB. It works where a file is overwritten in place; on a file
 * system that copies on write it only makes a full disk less likely.
 */
export class Reserve {
  readonly #path: string
  readonly #pageBytes: number
  readonly #options: ReserveOptions
  #file: number
  #fileBytes: number
  #usedPages: number
  /** Why the file could not be extended, until it is tried again for the next group. */
  #blocked: string | undefined
  #short = false

  constructor(path: string, pageBytes: number, usedPages: number, options: ReserveOptions) {
    this.#path = path
    this.#pageBytes = pageBytes
    this.#options = options
    this.#usedPages = usedPages
    this.#file = openSync(path, 'r+')
    this.#fileBytes = fstatSync(this.#file).size
  }

  /** Limits that it was made with. */
  get options(): ReserveOptions {
    return this.#options
  }

  /** A descriptor of the data file, until it is closed or another file takes its place. */
  get file(): number {
    return this.#file
  }

  /** Length of the data file in bytes. */
  get fileBytes(): number {
    return this.#fileBytes
  }

  /** Pages up to the last one in use. */
  get usedPages(): number {
    return this.#usedPages
  }

  /** Pages between the last page in use and the end of the file. */
  get roomPages(): number {
    return Math.floor(this.#fileBytes / this.#pageBytes) - this.#usedPages
  }

  /** The last page of the file, where a commit of so many pages writes nothing; `undefined` where it may. */
  probe(pages: number): Probe | undefined {
    if (this.roomPages <= pages) return undefined
    return { file: this.#file, position: (this.#usedPages + this.roomPages - 1) * this.#pageBytes }
  }

  /** Whether the file could not be extended when it was last tried. */
  get isShort(): boolean {
    return this.#short
  }

  /** Begins a group: a file that could not be extended before is tried again. */
  begin(): void {
    this.#blocked = undefined
  }

  /**
   * Takes note of what a commit used and what it might have needed, and extends the file when less than half
   * of the reserve is left.
   */
  settle(usedPages: number, estimatedPages: number): void {
    const pages = this.#refillPages(usedPages, estimatedPages)
    if (pages > 0) this.#extend(pages, pages)
  }

  /** The same, with the writing left to somebody else; resolves when that is done. */
  async settleBeside(usedPages: number, estimatedPages: number, extend: Extension): Promise<void> {
    const pages = this.#refillPages(usedPages, estimatedPages)
    if (pages === 0) return
    try {
      const end = this.#endWith(pages, pages)
      if (end !== undefined) await extend(this.#file, this.#fileBytes, end)
    } catch (error) {
      this.#blocked = messageOf(error)
    }
    this.#noteExtension()
  }

  /**
   * Makes sure that a commit of so many pages finds room; one that ends or frees something takes what is kept for it.
   * `freePages` tells how many pages inside the file are free; it is asked only when the disk is full. Throws
   * `STORE_FULL`.
   */
  ensure(pages: number, frees: boolean, freePages: () => number): void {
    const emergency = frees ? 0 : this.#emergencyPages()
    const missing = pages + emergency - this.roomPages
    if (missing <= 0) return
    if (this.#extend(missing + MEBIBYTE / this.#pageBytes, missing)) return
    // Free pages inside the file are as good, unless a reader holds them: that may cost half of what is kept, and no
    // more.
    if (pages + Math.ceil(emergency / 2) <= this.roomPages && missing <= freePages()) return
    throw fullError(this.#path, this.#blocked ?? 'the file cannot be extended')
  }

  /** Goes on with the file that is at the path now. */
  reopen(usedPages: number): void {
    const file = openSync(this.#path, 'r+')
    // Not here: where the old file has no name any more, closing it waits until its blocks are free.
    close(this.#file, () => spareDescriptors.refill())
    this.#file = file
    this.#fileBytes = fstatSync(this.#file).size
    this.#usedPages = usedPages
    this.#blocked = undefined
  }

  close(): void {
    closeSync(this.#file)
  }

  #targetPages(): number {
    return reservedPages(this.#usedPages, this.#pageBytes)
  }

  #emergencyPages(): number {
    return emergencyPages(this.#usedPages, this.#pageBytes)
  }

  /** Pages that the file should be extended by now, so that another commit like the last one need not do so itself. */
  #refillPages(usedPages: number, estimatedPages: number): number {
    this.#usedPages = usedPages
    const needed = estimatedPages + this.#emergencyPages()
    const target = Math.max(this.#targetPages(), needed + estimatedPages)
    if (this.roomPages >= Math.max(target / 2, needed)) {
      this.#short = false
      return 0
    }
    this.#blocked = undefined
    return Math.min(target - this.roomPages, REFILL_BYTES / this.#pageBytes)
  }

  /** Extends the file by `wanted` pages, or by fewer but at least `needed`; tells whether it did. */
  #extend(wanted: number, needed: number): boolean {
    if (this.#blocked !== undefined) return false
    try {
      const end = this.#endWith(wanted, needed)
      if (end !== undefined) extendFile(this.#file, this.#fileBytes, end)
    } catch (error) {
      this.#blocked = messageOf(error)
    }
    return this.#noteExtension()
  }

  /** Tells whether nothing was in the way of an extension. */
  #noteExtension(): boolean {
    this.#fileBytes = fstatSync(this.#file).size
    this.#short = this.#blocked !== undefined
    return !this.#short
  }

  /**
   * Returns where the file ends then; `undefined`, with the reason noted, where it cannot have `needed` more pages.
   */
  #endWith(wanted: number, needed: number): number | undefined {
    const pages = Math.min(Math.ceil(wanted), this.#growablePages())
    if (pages >= needed) return (Math.floor(this.#fileBytes / this.#pageBytes) + pages) * this.#pageBytes
    this.#blocked = this.#shortage()
    return undefined
  }

  /** Pages by which quota and file system let the file grow. */
  #growablePages(): number {
    const bytes = Math.min(this.#options.quotaBytes - this.#fileBytes, this.#spareBytes())
    return Math.max(0, Math.floor(bytes / this.#pageBytes))
  }

  #spareBytes(): number {
    return spareBytes(this.#path, this.#options.lowSpaceBytes)
  }

  #shortage(): string {
    const { quotaBytes, lowSpaceBytes } = this.#options
    if (quotaBytes - this.#fileBytes <= this.#spareBytes())
      return `its quota of ${quotaBytes} bytes is used up`
    return `its file system is full, or has less than the ${lowSpaceBytes} bytes that are kept free on it`
  }
}

/** Pages that a file with so many used ones has beyond them. */
export function reservedPages(usedPages: number, pageBytes: number): number {
  const forAll = share(usedPages, pageBytes, 4, MIN_RESERVE_BYTES, MAX_RESERVE_BYTES)
  return forAll + emergencyPages(usedPages, pageBytes)
}

function emergencyPages(usedPages: number, pageBytes: number): number {
  return share(usedPages, pageBytes, 2, MIN_EMERGENCY_BYTES, MAX_EMERGENCY_BYTES)
}

/** Pages for a part of what is used, within bounds. */
function share(
  usedPages: number,
  pageBytes: number,
  divisor: number,
  minBytes: number,
  maxBytes: number,
): number {
  const bytes = (usedPages * pageBytes) / divisor
  return Math.ceil(Math.min(Math.max(bytes, minBytes), maxBytes) / pageBytes)
}
