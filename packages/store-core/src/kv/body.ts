/** The part of a transaction that is the same in every backend: checks, budgets, doom and death. */

import { StoreError } from '../errors.ts'
import { checkKey, checkRange, checkTable, checkValue } from './arguments.ts'
import {
  type KvRange,
  type KvRow,
  type KvSnapshot,
  type KvTransaction,
  MAX_TRANSACTION_BYTES,
  MAX_TRANSACTION_KEYS,
} from './contract.ts'

/** What a backend does itself for a body that only reads. Every argument has been checked. */
export interface KvReader {
  get(table: string, key: Uint8Array): Uint8Array | undefined
  range(table: string, range: KvRange): KvRow[]
  keys(table: string, range: KvRange): Uint8Array[]
}

/** What a backend does itself for a body that writes. Every argument has been checked. */
export interface KvWriter extends KvReader {
  put(table: string, key: Uint8Array, value: Uint8Array): void
  remove(table: string, key: Uint8Array): boolean
}

/** Runs a body that only reads and returns its result. Throws what the body throws, or a `TypeError`. */
export function runReadBody<T>(
  reader: KvReader,
  tables: ReadonlySet<string>,
  body: (snapshot: KvSnapshot) => T,
): T {
  const snapshot = new CheckedSnapshot(reader, tables)
  try {
    return refuseThenable(body(snapshot))
  } finally {
    snapshot.end()
  }
}

/** One run of one write body. The backend keeps what was written if {@link KvWriteRun.run} returns. */
export class KvWriteRun {
  readonly #transaction: CheckedTransaction

  constructor(writer: KvWriter, tables: ReadonlySet<string>) {
    this.#transaction = new CheckedTransaction(writer, tables)
  }

  /** Bytes of keys and values that the body has put so far. */
  get bytes(): number {
    return this.#transaction.bytes
  }

  /** Puts and removes that the body has made so far. */
  get keys(): number {
    return this.#transaction.changes
  }

  /**
   * Runs the body once and returns its result. Throws what the body throws, else the first error that a
   * call inside it threw, else a `TypeError` where the result is a thenable.
   */
  run<T>(body: (transaction: KvTransaction) => T): T {
    const transaction = this.#transaction
    try {
      const result = refuseThenable(body(transaction))
      transaction.refuseDoomed()
      return result
    } finally {
      transaction.end()
    }
  }

  /** Dooms the body, for instance because it called `write`, and returns the error to throw. */
  doom<E extends Error>(error: E): E {
    return this.#transaction.doom(error)
  }
}

class CheckedSnapshot<R extends KvReader = KvReader> implements KvSnapshot {
  protected readonly driver: R
  protected readonly tables: ReadonlySet<string>
  #ended = false

  constructor(driver: R, tables: ReadonlySet<string>) {
    this.driver = driver
    this.tables = tables
  }

  get(table: string, key: Uint8Array): Uint8Array | undefined {
    this.assertAlive()
    try {
      checkTable(this.tables, table)
      checkKey(key)
      return this.driver.get(table, key)
    } catch (error) {
      throw this.doom(error)
    }
  }

  range(table: string, range: KvRange): KvRow[] {
    this.assertAlive()
    try {
      checkTable(this.tables, table)
      checkRange(range)
      return this.driver.range(table, range)
    } catch (error) {
      throw this.doom(error)
    }
  }

  keys(table: string, range: KvRange): Uint8Array[] {
    this.assertAlive()
    try {
      checkTable(this.tables, table)
      checkRange(range)
      return this.driver.keys(table, range)
    } catch (error) {
      throw this.doom(error)
    }
  }

  end(): void {
    this.#ended = true
  }

  /** A body that only reads has nothing to undo, so an error dooms nothing here. */
  doom<E>(error: E): E {
    return error
  }

  protected assertAlive(): void {
    if (!this.#ended) return
    throw new TypeError('This transaction has ended with its body; return what you need out of the body.')
  }
}

class CheckedTransaction extends CheckedSnapshot<KvWriter> implements KvTransaction {
  changes = 0
  bytes = 0
  #doomed: { readonly error: unknown } | undefined

  put(table: string, key: Uint8Array, value: Uint8Array): void {
    this.assertAlive()
    try {
      checkTable(this.tables, table)
      checkKey(key)
      checkValue(value)
      this.#spend(key.length + value.length)
      this.driver.put(table, key, value)
    } catch (error) {
      throw this.doom(error)
    }
  }

  remove(table: string, key: Uint8Array): boolean {
    this.assertAlive()
    try {
      checkTable(this.tables, table)
      checkKey(key)
      this.#spend(0)
      return this.driver.remove(table, key)
    } catch (error) {
      throw this.doom(error)
    }
  }

  override doom<E>(error: E): E {
    this.#doomed ??= { error }
    return error
  }

  refuseDoomed(): void {
    if (this.#doomed !== undefined) throw this.#doomed.error
  }

  #spend(bytes: number): void {
    this.changes += 1
    this.bytes += bytes
    if (this.changes > MAX_TRANSACTION_KEYS) throw tooLarge('keys', this.changes, MAX_TRANSACTION_KEYS)
    if (this.bytes > MAX_TRANSACTION_BYTES) throw tooLarge('bytes', this.bytes, MAX_TRANSACTION_BYTES)
  }
}

function tooLarge(what: string, actual: number, expected: number): StoreError {
  return new StoreError('TRANSACTION_TOO_LARGE', `one change may touch ${expected} ${what}, not ${actual}`, {
    actual,
    expected,
    hint: 'split the change into several smaller ones',
  })
}

function refuseThenable<T>(result: T): T {
  if (typeof (result as { then?: unknown } | null | undefined)?.then !== 'function') return result
  // Nobody else will look at this promise: without a handler its rejection would end the process.
  void Promise.resolve(result).catch(() => undefined)
  throw new TypeError('A body must not be async or return a promise; do the waiting before or after it.')
}
