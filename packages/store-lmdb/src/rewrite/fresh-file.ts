import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  fsync,
  ftruncate,
  openSync,
  statSync,
  write,
} from 'node:fs'
import { promisify } from 'node:util'

import type { KvRow } from '@saltcod/store-core/backend'
import { spareBytes } from '../file/free-space.ts'
import { makeLockFile } from '../file/reader-table.ts'
import { spareDescriptors } from '../file/spare-descriptors.ts'
import type { StorePath } from '../file/store-path.ts'
import { Environment } from '../native/environment.ts'
import { fullError, systemError } from '../refusal.ts'
import { PageEstimate } from '../write/page-estimate.ts'

const MEBIBYTE = 1024 * 1024

/** LMDB's own trees and the making of tables take less than this in one commit. */
const SLACK_BYTES = 2 * MEBIBYTE

/** Room is made in steps of this many bytes. */
const STEP_BYTES = 8 * MEBIBYTE

/** So much is written before the disk is told to take it, so that no single wait for the disk is long. */
const SYNC_BYTES = 32 * MEBIBYTE

const ZEROS: Uint8Array = new Uint8Array(MEBIBYTE)

// The file is opened at once, when descriptors are lent, and used without waiting for the disk.
const [writeAt, dataOnDisk, allOnDisk, cut] = [
  promisify(write),
  promisify(fdatasync),
  promisify(fsync),
  promisify(ftruncate),
]

/** One change for the new file; a value of `undefined` removes. */
export interface FreshChange {
  readonly table: string
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

/** Options of {@link FreshFile.create}. */
export interface FreshFileOptions {
  readonly tables: readonly string[]
  readonly mapBytes: number
  /** Bytes that the file system keeps for others. */
  readonly lowSpaceBytes: number
}

/**
 * The file that takes the place of another one: written without waiting for the disk, which is safe because
 * nobody relies on it until {@link finish} has returned. Room is written ahead, so that LMDB never meets a full disk.
 */
export class FreshFile {
  readonly #paths: StorePath
  readonly #environment: Environment
  readonly #file: number
  readonly #options: FreshFileOptions
  #fileBytes: number
  #syncedPages = 0
  #isOpen = true

  private constructor(
    paths: StorePath,
    environment: Environment,
    file: number,
    fileBytes: number,
    options: FreshFileOptions,
  ) {
    this.#paths = paths
    this.#environment = environment
    this.#file = file
    this.#fileBytes = fileBytes
    this.#options = options
  }

  /** Makes the file with empty tables. Throws `STORE_FULL`. */
  static async create(paths: StorePath, options: FreshFileOptions): Promise<FreshFile> {
    const { tables, mapBytes, lowSpaceBytes } = options
    if (spareBytes(paths.directory, lowSpaceBytes) < SLACK_BYTES) {
      throw fullError(paths.data, 'its file system is full')
    }
    const file = spareDescriptors.lend(paths.data, () => {
      // LMDB takes an empty file for a new one, and the lock file gets the owner of the data file.
      closeSync(openSync(paths.data, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600))
      makeLockFile(paths, false)
      const environment = new Environment({ path: paths.data, readOnly: false, mapBytes, unsynced: true })
      try {
        const opened = openSync(paths.data, 'r+')
        return new FreshFile(paths, environment, opened, fstatSync(opened).size, options)
      } catch (error) {
        environment.closeNow()
        throw error
      }
    })
    try {
      await file.makeRoom(SLACK_BYTES)
      file.#environment.makeTables(tables)
      return file
    } catch (error) {
      await file.abandon()
      throw error
    }
  }

  /** How many rows a table has. */
  rowsOf(table: string): number {
    return this.#environment.treeSize(table).rows
  }

  /** Makes sure that a commit finds so much room. Throws `STORE_FULL`. */
  async makeRoom(bytes: number): Promise<void> {
    const needed = this.usedPages * this.pageBytes + bytes
    if (needed > this.#fileBytes) await this.#extend(needed + STEP_BYTES)
    if ((this.usedPages - this.#syncedPages) * this.pageBytes < SYNC_BYTES) return
    this.#syncedPages = this.usedPages
    await dataOnDisk(this.#file)
  }

  /** Makes sure that the commit of so many changes finds room. Throws `STORE_FULL`. */
  async makeRoomFor(changes: readonly FreshChange[]): Promise<void> {
    const estimate = new PageEstimate(this.pageBytes, this.usedPages, (table) =>
      this.#environment.treeSize(table),
    )
    for (const { table, key, value } of changes) {
      if (value === undefined) estimate.remove(table)
      else estimate.put(table, key.length, value.length)
    }
    await this.makeRoom(estimate.pages * this.pageBytes)
  }

  /** Adds rows behind the last one of a table. */
  append(table: string, rows: readonly KvRow[]): void {
    this.#environment.commit(() => {
      for (const { key, value } of rows) this.#environment.append(table, key, value)
    })
  }

  /** Puts and removes rows anywhere. */
  apply(changes: readonly FreshChange[]): void {
    this.#environment.commit(() => {
      for (const { table, key, value } of changes) {
        if (value === undefined) this.#environment.remove(table, key)
        else this.#environment.put(table, key, value)
      }
    })
  }

  get pageBytes(): number {
    return this.#environment.pageBytes
  }

  /** How many pages hold something, or did. */
  get usedPages(): number {
    return this.#environment.lastPage() + 1
  }

  /** Bytes beyond the used pages. */
  get roomBytes(): number {
    return this.#fileBytes - this.usedPages * this.pageBytes
  }

  /** Cuts off what is beyond the used pages, but for so many bytes. */
  async trim(bytesBeyond: number): Promise<void> {
    const length = this.usedPages * this.pageBytes + bytesBeyond
    if (length >= this.#fileBytes) return
    await cut(this.#file, length)
    this.#fileBytes = length
  }

  /** Waits until all that was written so far is on disk. */
  async sync(): Promise<void> {
    await allOnDisk(this.#file)
  }

  /** Closes the file, with the mode and group of another one where one is given, when all of it is on disk. */
  async finish(model?: string): Promise<void> {
    await this.#environment.close()
    if (model !== undefined) {
      const { mode, gid } = statSync(model)
      chmodSync(this.#paths.data, mode & 0o777)
      if (process.geteuid?.() === 0) chownSync(this.#paths.data, process.geteuid(), gid)
    }
    await allOnDisk(this.#file)
    this.#close()
  }

  /** Closes the file as it is. Closing twice is fine. */
  async abandon(): Promise<void> {
    await this.#environment.close()
    this.#close()
  }

  #close(): void {
    if (this.#isOpen) closeSync(this.#file)
    this.#isOpen = false
    spareDescriptors.refill()
  }

  async #extend(length: number): Promise<void> {
    const { directory } = this.#paths
    // Zeros must never cover what LMDB wrote beyond the room that was made for it.
    this.#fileBytes = Math.max(this.#fileBytes, fstatSync(this.#file).size)
    if (spareBytes(directory, this.#options.lowSpaceBytes) < length - this.#fileBytes) {
      throw fullError(this.#paths.data, 'its file system has no room for a second copy')
    }
    try {
      while (this.#fileBytes < length) {
        const bytes = Math.min(ZEROS.length, length - this.#fileBytes)
        this.#fileBytes += (await writeAt(this.#file, ZEROS, 0, bytes, this.#fileBytes)).bytesWritten
      }
    } catch (error) {
      throw systemError(this.#paths.data, 'its copy cannot be extended', error)
    }
  }
}
