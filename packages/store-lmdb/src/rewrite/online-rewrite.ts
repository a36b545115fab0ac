import { existsSync } from 'node:fs'
import { performance } from 'node:perf_hooks'

import { isStoreError } from '@saltcod/store-core'
import type { KvRewriteOptions, KvRewriteReport, KvRow, KvWriteQueue } from '@saltcod/store-core/backend'
import { probeDataFile } from '../file/file-probe.ts'
import { spareBytes } from '../file/free-space.ts'
import { removeFresh, rewritePathOf } from '../file/rewrite-path.ts'
import { spareDescriptors } from '../file/spare-descriptors.ts'
import type { StorePath } from '../file/store-path.ts'
import type { Environment } from '../native/environment.ts'
import type { OwnerLock } from '../owner/owner-lock.ts'
import {
  damagedError,
  explained,
  foreignError,
  fullError,
  messageOf,
  rewriteStoppedError,
  systemCode,
} from '../refusal.ts'
import { freePagesOf } from '../write/free-pages.ts'
import type { GroupWriter } from '../write/group-writer.ts'
import { type Reserve, reservedPages } from '../write/reserve.ts'
import { ChangeJournal } from './change-journal.ts'
import { announceSwap, endSwap, swapFiles } from './file-swap.ts'
import { FreshFile } from './fresh-file.ts'
import { copyKeys, copyLastKeys, copyTable, MAX_BATCH_ROWS } from './row-copy.ts'
import { WorkPace } from './work-pace.ts'

const MEBIBYTE = 1024 * 1024

/** Beside the live rows so much must be free before a rewrite begins. */
const FREE_BYTES = 64 * MEBIBYTE

/** Writers that are slowed down rest for so many times what each group took. */
const SLOW_REST_FACTOR = 3

/** So many first rows of each table are compared after the files were exchanged. */
const COMPARED_ROWS = 20

/** When a rewrite gives up or goes on; other values are for tests. */
export interface RewriteLimits {
  /** The most changed keys that may wait. */
  readonly journalKeys: number
  /** How long writers are slowed down. */
  readonly slowMs: number
  /** With at most so many changed keys left, writers are held and the files exchanged. */
  readonly lastRoundKeys: number
}

/** The limits of a rewrite. A million keys take about 100 MB. */
export const REWRITE_LIMITS: RewriteLimits = { journalKeys: 1_000_000, slowMs: 30_000, lastRoundKeys: 1_000 }

/** What an {@link OnlineRewrite} works with. */
export interface RewriteParts {
  readonly paths: StorePath
  readonly lock: OwnerLock
  readonly environment: Environment
  readonly writer: GroupWriter
  readonly queue: KvWriteQueue
  readonly reserve: Reserve
  readonly mapBytes: number
  /** Told when another file is at the path. */
  readonly onMoved: () => void
  /** Told when the store can no longer be used. */
  readonly onFailure: (error: unknown) => void
  /** Throws where the store is closing or has failed. */
  readonly assertUsable: () => void
  readonly hasFailed: () => boolean
}

/** What the exchanged file must hold, as the old one had it. */
interface Expected {
  readonly table: string
  readonly rows: number
  readonly first: readonly KvRow[]
}

/**
 * One rewrite of a store in use. Everything is copied in key order into a new file while writers go on; a journal
 * tells which keys they change. Rounds bring the copy up to date until little is missing; then writers are held, the
 * last round is made, and the files are exchanged.
 */
export class OnlineRewrite {
  readonly #parts: RewriteParts
  readonly #options: KvRewriteOptions
  readonly #limits: RewriteLimits
  readonly #journal: ChangeJournal
  readonly #pace: WorkPace
  readonly #tables: readonly string[]
  readonly #bytesBefore: number
  #totalRows = 0
  #copiedRows = 0
  #slowSinceMs: number | undefined

  constructor(parts: RewriteParts, options: KvRewriteOptions, limits: RewriteLimits = REWRITE_LIMITS) {
    this.#parts = parts
    this.#options = options
    this.#limits = limits
    this.#journal = new ChangeJournal(limits.journalKeys)
    this.#pace = new WorkPace(() => parts.queue.turns, 50, MAX_BATCH_ROWS)
    // Also those that only another release knows.
    this.#bytesBefore = parts.environment.fileBytes()
    this.#tables = parts.environment.tableNames()
  }

  /** Carries the rewrite out. Rejects as the contract says of `rewrite`; the store is then as it was. */
  async run(): Promise<KvRewriteReport> {
    const { environment, writer, queue, paths, reserve } = this.#parts
    const startedAt = performance.now()
    const { fresh } = rewritePathOf(paths)
    let file: FreshFile | undefined
    try {
      this.#step(0)
      await this.#openTables()
      this.#refuseWithoutRoom()
      removeFresh(paths)
      writer.listen((changes) => {
        this.#journal.add(changes)
      })
      const { lowSpaceBytes } = reserve.options
      file = await FreshFile.create(fresh, {
        tables: this.#tables,
        mapBytes: this.#parts.mapBytes,
        lowSpaceBytes,
      })
      await this.#copy(file)
      await this.#catchUp(file)
      const pauseMs = await this.#exchange(file)
      const durationMs = Math.round(performance.now() - startedAt)
      return { bytesBefore: this.#bytesBefore, bytesAfter: environment.fileBytes(), pauseMs, durationMs }
    } catch (error) {
      await file?.abandon().catch(() => undefined)
      throw this.#explained(error)
    } finally {
      writer.listen(undefined)
      queue.slowDown(0)
      environment.copies.release()
      this.#tidyUp()
    }
  }

  /** LMDB opens no table beside a transaction of another thread. */
  async #openTables(): Promise<void> {
    const { environment, queue } = this.#parts
    await queue.hold()
    try {
      environment.openTables(this.#tables)
    } finally {
      queue.release()
    }
  }

  /** What cannot be removed says nothing of the store; the next opening tries again. */
  #tidyUp(): void {
    // After a failure the next owner needs to see how far it came.
    if (this.#parts.hasFailed()) return
    try {
      removeFresh(this.#parts.paths)
    } catch (error) {
      if (systemCode(error) === undefined) throw error
    }
  }

  async #copy(file: FreshFile): Promise<void> {
    const { environment } = this.#parts
    environment.refresh()
    for (const table of this.#tables) this.#totalRows += environment.treeSize(table).rows
    for (const table of this.#tables) {
      await copyTable(environment, file, table, this.#pace, (rows) => {
        this.#copiedRows += rows
        this.#step(rows)
      })
    }
  }

  /** Makes rounds until what is missing is little and all the rest is on disk. */
  async #catchUp(file: FreshFile): Promise<void> {
    for (;;) {
      await this.#rounds(file)
      const reserved = this.#reservedBytes(file)
      await file.makeRoom(reserved)
      await file.trim(reserved)
      await file.sync()
      // A backup under way needs the old file; further ones wait.
      if (this.#parts.environment.copies.isBusy) await this.#parts.environment.copies.hold()
      else if (this.#journal.size <= this.#limits.lastRoundKeys) return
      else this.#hurry()
    }
  }

  async #rounds(file: FreshFile): Promise<void> {
    const { environment } = this.#parts
    for (;;) {
      this.#step(0)
      const before = this.#journal.size
      if (before <= this.#limits.lastRoundKeys) return
      await copyKeys(environment, file, this.#journal.take(), this.#pace, (rows) => {
        this.#step(rows)
      })
      if (this.#journal.size >= before / 2) this.#hurry()
    }
  }

  /** Writers are about as fast as the copy: they are slowed down, and it works without rests. */
  #hurry(): void {
    if (this.#slowSinceMs === undefined) {
      this.#slowSinceMs = performance.now()
      this.#pace.hurried = true
      this.#parts.queue.slowDown(SLOW_REST_FACTOR)
    }
  }

  /** Returns how long writers were held, in milliseconds to one decimal. */
  async #exchange(file: FreshFile): Promise<number> {
    const { environment, queue, writer, paths, lock, onFailure } = this.#parts
    const { previous, fresh } = rewritePathOf(paths)
    if (existsSync(previous)) throw foreignError(previous, 'is in the way of a rewrite')
    // None is under way, so this waits for nothing.
    void environment.copies.hold()
    const heldAt = performance.now()
    await queue.hold()
    try {
      await writer.leaveThread()
      // A commit that was under way may have failed.
      this.#step(0)
      spareDescriptors.lend(paths.data, () => announceSwap(paths))
      await copyLastKeys(environment, file, this.#journal.take())
      const expected = this.#expected(file)
      const reserved = this.#reservedBytes(file)
      if (file.roomBytes > 2 * reserved) await file.trim(reserved)
      await file.finish(paths.data)
      spareDescriptors.lend(paths.data, () => {
        probeDataFile(fresh.data)
        lock.add(fresh.data)
        this.#step(0)
        swapFiles(paths, environment, () => this.#verify(expected), onFailure)
        this.#settle()
      })
    } finally {
      this.#endSwap()
      lock.settle()
    }
    return Math.round((performance.now() - heldAt) * 10) / 10
  }

  /** Lets the other parts of the store go on with the new file, from which there is no way back. */
  #settle(): void {
    const { environment, reserve, onFailure, onMoved } = this.#parts
    try {
      onMoved()
      reserve.reopen(environment.lastPage() + 1)
    } catch (error) {
      onFailure(error)
      throw error
    }
  }

  /** Readers wait as long as the mark is there, so a store that cannot take it away is of no use any more. */
  #endSwap(): void {
    const { paths, queue, hasFailed, onFailure } = this.#parts
    try {
      if (!hasFailed()) endSwap(paths)
    } catch (error) {
      onFailure(error)
      throw error
    } finally {
      queue.release()
    }
  }

  /** What the new file should have beyond its used pages. */
  #reservedBytes(file: FreshFile): number {
    const { quotaBytes } = this.#parts.reserve.options
    const { usedPages, pageBytes } = file
    const wanted = reservedPages(usedPages, pageBytes) * pageBytes
    const usedBytes = usedPages * pageBytes
    // A small file should not become longer; half of what is wanted does for a while.
    const reserved = Math.max(wanted / 2, Math.min(wanted, this.#bytesBefore - usedBytes))
    return Math.max(0, Math.min(reserved, quotaBytes - usedBytes))
  }

  /** What every table has now. Throws where the copy has not so many rows. */
  #expected(file: FreshFile): Expected[] {
    const { environment, paths } = this.#parts
    environment.refresh()
    return this.#tables.map((table) => {
      const { rows } = environment.treeSize(table)
      if (file.rowsOf(table) !== rows) {
        const what = `its copy has ${file.rowsOf(table)} rows in the table ${table} where it has ${rows}`
        throw rewriteStoppedError(paths.data, what)
      }
      return { table, rows, first: environment.range(table, { limit: COMPARED_ROWS }, MEBIBYTE) }
    })
  }

  #verify(expected: readonly Expected[]): void {
    const { environment, paths } = this.#parts
    for (const { table, rows, first } of expected) {
      const found = environment.range(table, { limit: COMPARED_ROWS }, MEBIBYTE)
      const same = found.every(({ key, value }, index) => {
        const row = first[index]
        return (
          row !== undefined && Buffer.compare(row.key, key) === 0 && Buffer.compare(row.value, value) === 0
        )
      })
      if (same && found.length === first.length && environment.treeSize(table).rows === rows) continue
      throw damagedError(paths.data, `the table ${table} is not what it was before the rewrite`)
    }
  }

  /** Between two steps: throws where the rewrite must not go on. */
  #step(rows: number): void {
    this.#parts.assertUsable()
    this.#options.signal?.throwIfAborted()
    const { path } = this.#parts.environment
    if (this.#journal.overflowed) {
      const { journalKeys } = this.#limits
      throw rewriteStoppedError(path, `more than ${journalKeys} rows changed before it had caught up`)
    }
    if (this.#slowSinceMs !== undefined && performance.now() - this.#slowSinceMs > this.#limits.slowMs) {
      const seconds = this.#limits.slowMs / 1_000
      throw rewriteStoppedError(
        path,
        `it did not catch up with writers in ${seconds} s, though they were slowed down`,
      )
    }
    if (rows > 0) this.#options.onProgress?.(Math.min(this.#copiedRows, this.#totalRows), this.#totalRows)
  }

  #refuseWithoutRoom(): void {
    const { environment, paths, reserve } = this.#parts
    const used = environment.lastPage() + 1 - freePagesOf(environment, this.#tables)
    const needed = used * environment.pageBytes + FREE_BYTES
    const spare = spareBytes(paths.directory, reserve.options.lowSpaceBytes)
    if (spare >= needed) return
    const why = `a rewrite needs ${needed} bytes beside it for a while, and ${Math.max(spare, 0)} may be used`
    throw fullError(paths.data, why)
  }

  /** What the new file met is said of the store. */
  #explained(error: unknown): unknown {
    const { data } = this.#parts.paths
    const told = explained(data, 'a file of its rewrite cannot be used', error)
    if (!isStoreError(told, 'STORE_FAILED')) return told
    try {
      this.#parts.assertUsable()
    } catch (own) {
      return own
    }
    return rewriteStoppedError(data, `its copy could not be written (${messageOf(error)})`, error)
  }
}
