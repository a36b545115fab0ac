import { StoreError } from '@saltcod/store-core'
import {
  checkFields,
  checkWriteOptions,
  type KvCapabilities,
  type KvFailure,
  type KvSnapshot,
  type KvStatistics,
  type KvStore,
  type KvTransaction,
  type KvWriteOptions,
  KvWriteRun,
  runReadBody,
} from '@saltcod/store-core/backend'

import { Tables } from './tables.ts'
import { WriteQueue } from './write-queue.ts'

/** Options of {@link openMemoryKv}. */
export interface MemoryKvOptions {
  /** Names of the tables. A body that names another one gets a `TypeError`. */
  readonly tables: readonly string[]
}

/** Opens an empty store that lives as long as the process; closing it forgets all rows. */
export function openMemoryKv(options: MemoryKvOptions): KvStore {
  checkFields('openMemoryKv', options, { tables: true })
  return new MemoryKv(new Tables(options.tables))
}

class MemoryKv implements KvStore {
  readonly backend: string = 'memory'
  readonly location: string = 'memory'
  readonly readOnly: boolean = false
  readonly capabilities: KvCapabilities
  /** Memory has no input or output that could fail. */
  readonly failed: Promise<KvFailure> = new Promise<KvFailure>(() => undefined)
  readonly #tables: Tables
  readonly #queue: WriteQueue = new WriteQueue()
  #running: KvWriteRun | undefined
  #closed: Promise<void> | undefined

  constructor(tables: Tables) {
    this.#tables = tables
    this.capabilities = { durable: false, statistics: () => this.#statistics() }
  }

  read<T>(body: (snapshot: KvSnapshot) => T): T {
    this.#refuseInsideWrite('read')
    if (this.#closed !== undefined) throw closedError()
    return runReadBody(this.#tables.begin(), this.#tables.names, body)
  }

  write<T>(body: (transaction: KvTransaction) => T, options: KvWriteOptions = {}): Promise<T> {
    this.#refuseInsideWrite('write')
    try {
      checkWriteOptions(options)
    } catch (error) {
      return Promise.reject(error as Error)
    }
    if (this.#closed !== undefined) return Promise.reject(closedError())
    return new Promise<T>((resolve, reject) => {
      const request = (): void => {
        try {
          resolve(this.#run(body))
        } catch (error) {
          reject(error as Error)
        }
      }
      this.#queue.push(request, options.background === true)
    })
  }

  close(): Promise<void> {
    this.#closed ??= this.#queue.idle().then(() => {
      this.#tables.clear()
    })
    return this.#closed
  }

  #run<T>(body: (transaction: KvTransaction) => T): T {
    const change = this.#tables.begin()
    const run = new KvWriteRun(change, this.#tables.names)
    this.#running = run
    try {
      const result = run.run(body)
      change.commit()
      return result
    } finally {
      this.#running = undefined
    }
  }

  #refuseInsideWrite(method: string): void {
    if (this.#running === undefined) return
    throw this.#running.doom(
      new TypeError(`A write body called ${method} of its store; use the transaction that it was given.`),
    )
  }

  #statistics(): KvStatistics {
    this.#refuseInsideWrite('statistics')
    if (this.#closed !== undefined) throw closedError()
    const tables = this.#tables.statistics()
    const usedBytes = tables.reduce((sum, table) => sum + table.usedBytes, 0)
    return { tables, usedBytes, freeBytes: 0, fileBytes: 0 }
  }
}

function closedError(): StoreError {
  return new StoreError('STORE_CLOSED', 'the store in memory was closed', { hint: 'open a new one' })
}
