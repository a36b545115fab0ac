/**
 * The ordered key-value contract: everything a backend must do, and all that the stores ask of it.
 *
 * A backend keeps named tables of byte keys and byte values in the byte order of the keys. Bodies are
 * ordinary synchronous functions; a body that returns a thenable is refused. A caller mistake (an unknown
 * table, a key that is not bytes or is empty, a range with two bounds on one side) throws a `TypeError`.
 */

/** One row of a table, as bytes that the reader may keep after its body has returned. */
export interface KvRow {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** A stretch of a table between two bounds; a missing bound is open. */
export interface KvRange {
  /** Lowest key, itself included. */
  readonly gte?: Uint8Array
  /** Lowest key, itself left out. */
  readonly gt?: Uint8Array
  /** Highest key, itself left out. */
  readonly lt?: Uint8Array
  /** Highest key, itself included. */
  readonly lte?: Uint8Array
  /** Reads from the highest key down. Default false. */
  readonly reverse?: boolean
  /**
   * The most rows to return, 1 to {@link MAX_RANGE_ROWS}. It is required so that no read is unbounded;
   * the caller goes on from the last key.
   */
  readonly limit: number
}

/** The most rows that one `range` call returns. */
export const MAX_RANGE_ROWS: number = 10_000

/** The longest key and range bound, in bytes; the shortest has one. A longer one throws `KEY_TOO_LONG`. */
export const MAX_KEY_BYTES: number = 1_900

/**
 * The most keys that one write body may put or remove; a key counts each time. One more throws
 * `TRANSACTION_TOO_LARGE`.
 */
export const MAX_TRANSACTION_KEYS: number = 2_000

/** The most bytes of keys and values that one write body may put. More throws `TRANSACTION_TOO_LARGE`. */
export const MAX_TRANSACTION_BYTES: number = 8 * 1024 * 1024

/** What a body sees: one unmoving snapshot of all tables. It is dead once the body has returned (`TypeError`). */
export interface KvSnapshot {
  /** Returns the value under a key, or `undefined` where there is none. */
  get(table: string, key: Uint8Array): Uint8Array | undefined
  /** Returns the rows of a range in order, at most `limit`; an empty list where there are none. */
  range(table: string, range: KvRange): KvRow[]
  /** Returns the keys alone of a range in order. */
  keys(table: string, range: KvRange): Uint8Array[]
}

/** What a write body sees: its snapshot with its own changes on top. */
export interface KvTransaction extends KvSnapshot {
  /**
   * Sets the value under a key, replacing what was there. The bytes must not be changed before `write` has resolved.
   */
  put(table: string, key: Uint8Array, value: Uint8Array): void
  /** Removes a key and tells whether it was there. */
  remove(table: string, key: Uint8Array): boolean
}

/** How a write is queued. */
export interface KvWriteOptions {
  /**
   * Background work (retention, reclaiming, repair) gets at most about a quarter of the writing time while something
   * waits in the foreground. While nothing does it runs freely. Default false.
   */
  readonly background?: boolean
  /**
   * Ends or frees something: a stop, the report of an end, a removal. A backend that can run out of room keeps some of
   * it for these, so that they are carried out where others are refused with `STORE_FULL`. Default: what `background`
   * is.
   */
  readonly frees?: boolean
}

/** Sizes of one table. */
export interface KvTableStatistics {
  readonly table: string
  /** Exact, unless the statistics are approximate. */
  readonly rows: number
  /** Pages in use times the page size, in bytes; sizes of keys and values where a backend has no pages. */
  readonly usedBytes: number
}

/** Sizes of a whole backend, in bytes. */
export interface KvStatistics {
  readonly tables: readonly KvTableStatistics[]
  /** Whether numbers are estimates, of a backend that would have to read all rows to count them. Default false. */
  readonly approximate?: boolean
  /** Bytes that live pages take. */
  readonly usedBytes: number
  /** Bytes inside the used part of the file that no live page takes. */
  readonly freeBytes: number
  /** Length of the data file in bytes, reserved space included; 0 where there is no file. */
  readonly fileBytes: number
}

/** Why a backend can no longer be used. */
export interface KvFailure {
  /** Stable code, for instance `STORE_FAILED`. */
  readonly code: string
  readonly message: string
  readonly cause?: unknown
}

/** The place of a row that was put or removed. */
export interface KvChangedKey {
  readonly table: string
  readonly key: Uint8Array
}

/** What an online rewrite did. */
export interface KvRewriteReport {
  /** Length of the data file before, in bytes, with what is reserved at its end. */
  readonly bytesBefore: number
  /** The same afterwards. */
  readonly bytesAfter: number
  /** How long no write was carried out while the files were exchanged, in milliseconds. */
  readonly pauseMs: number
  readonly durationMs: number
}

/** Options of an online rewrite. */
export interface KvRewriteOptions {
  /** Ends the rewrite between two batches, with the reason of the signal; the store stays as it was. */
  readonly signal?: AbortSignal
  /** Told after each batch. The total is what was there when it began. What it throws ends the rewrite. */
  readonly onProgress?: (copiedRows: number, totalRows: number) => void
}

/**
 * What not every backend has. A method that is absent is a capability that is absent; the conformance
 * suite tests what is there.
 */
export interface KvCapabilities {
  /** Whether an acknowledged write outlives the process and a power cut. */
  readonly durable: boolean
  /** Name and version of the driver beneath, kept in the store's `meta` table; absent where there is none. */
  readonly driver?: string
  /**
   * Counts pages and rows, or estimates them; costs time in proportion to the number of tables, not of rows. Without
   * it programs show and decide nothing that hangs on sizes.
   */
  readonly statistics?: () => KvStatistics
  /**
   * Writes a consistent copy to a path that must not exist; resolves with its length in bytes. Rejects with
   * `STORE_FOREIGN` where something is there, which it leaves as it was, `STORE_FULL`, `STORE_PERMISSION`,
   * `STORE_BUSY`, `STORE_CLOSED`, `STORE_FAILED`, or `STORE_DAMAGED` where the file has lost pages that only a rewrite
   * gives back.
   */
  readonly backup?: (path: string) => Promise<number>
  /**
   * Rewrites the live rows in key order into a fresh file while the store works, and gives the rest back. Copies bytes
   * as they are, damaged ones too. Rejects with `STORE_FULL` where there is no room for a second copy,
   * `REWRITE_STOPPED` where writers were faster for too long or the copy could not be written, `STORE_LOCKED` where a
   * rewrite is under way, `STORE_BUSY` where too many files are open, `STORE_PERMISSION` where none can be made,
   * `STORE_READ_ONLY`, `STORE_CLOSED`, `STORE_FAILED`, or the signal's reason. Unless it was `STORE_FAILED`, the store
   * then works on as before and nothing is left behind.
   */
  readonly rewrite?: (options?: KvRewriteOptions) => Promise<KvRewriteReport>
}

/** An ordered key-value store. `openKv`-like functions of the backends return one that is ready to use. */
export interface KvStore {
  /** Names the backend, for instance `lmdb` or `memory`. */
  readonly backend: string
  /** Where the data is, for messages: a file path, or a word such as `memory`. */
  readonly location: string
  readonly readOnly: boolean
  readonly capabilities: KvCapabilities
  /**
   * Resolves, and never rejects, when the backend met an error after which nothing can be trusted (an
   * I/O error). From then on every call fails with `STORE_FAILED`. Stays pending otherwise.
   */
  readonly failed: Promise<KvFailure>
  /**
   * Runs a body on one snapshot and returns its result. What it sees is on disk where the backend is durable. Throws
   * `STORE_CLOSED`, `STORE_FAILED`, `STORE_BUSY` where all slots for readers are taken, a `TypeError` where the body
   * returned a thenable or `read` was called inside a write body (which that dooms), and whatever the body throws. A
   * damaged page that is met is `STORE_DAMAGED`; a store that is open for writing has failed with it, since to write
   * on might lose more, and one that is open for reading goes on with what can be read.
   */
  read<T>(body: (snapshot: KvSnapshot) => T): T
  /**
   * Runs a body atomically and resolves with its result once that is durable. Calls are carried out in the order in
   * which they came; a body sees the changes of all before it. A body runs once, whatever becomes of it: nobody but
   * its caller may try again. One that throws, or in which a call threw, changes nothing, and its error is delivered
   * after the commit that it may depend on.
   *
   * Bodies may share one commit. One that throws, or that a backend refuses for its own size, takes nothing from the
   * others. Where it is only the commit that finds no room, all of its bodies are refused with `STORE_FULL`, and those
   * that come next are tried alone.
   *
   * Rejects with `STORE_READ_ONLY`, `STORE_CLOSED`, `STORE_FAILED`, `STORE_FULL` (nothing written; may work later),
   * `TRANSACTION_TOO_LARGE`, `KEY_TOO_LONG`, `OUTCOME_UNKNOWN` (the commit failed half-way), with a `TypeError` where
   * the body returned a thenable, and with whatever the body threw. Called inside a write body it throws a `TypeError`
   * at once, and dooms that body, which rejects with the same error even where it swallowed it.
   */
  write<T>(body: (transaction: KvTransaction) => T, options?: KvWriteOptions): Promise<T>
  /** Waits for what is queued, then closes. Later calls fail with `STORE_CLOSED`; closing twice is fine. */
  close(): Promise<void>
}
