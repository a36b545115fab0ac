import { isStoreError } from '../errors.ts'
import { checkWriteOptions } from './arguments.ts'
import { type KvReader, runReadBody } from './body.ts'
import type {
  KvCapabilities,
  KvFailure,
  KvSnapshot,
  KvStore,
  KvTransaction,
  KvWriteOptions,
} from './contract.ts'
import { closedError, failedError, readOnlyError } from './refusal.ts'
import type { KvWriteGroup } from './write-group.ts'
import { KvWriteQueue } from './write-queue.ts'

/** What {@link KvStoreBase} has to know of a backend. */
export interface KvStoreBaseOptions {
  readonly location: string
  /** Names of the tables. */
  readonly tables: Iterable<string>
  /** Default false. */
  readonly readOnly?: boolean
}

/**
 * The contract of a store, less what only a backend can do: who may be asked what and when, the queue of writes,
 * failing and closing. A backend extends it with a snapshot, the commit of a group, and the end of both.
 */
export abstract class KvStoreBase implements KvStore {
  abstract readonly backend: string
  abstract readonly capabilities: KvCapabilities
  readonly location: string
  readonly readOnly: boolean
  readonly failed: Promise<KvFailure>
  /** Names of the tables. */
  protected readonly tables: ReadonlySet<string>
  protected readonly queue: KvWriteQueue
  #settleFailed: (failure: KvFailure) => void = () => undefined
  #failure: KvFailure | undefined
  #closing: Promise<void> | undefined

  constructor({ location, tables, readOnly = false }: KvStoreBaseOptions) {
    this.location = location
    this.tables = new Set(tables)
    this.readOnly = readOnly
    this.failed = new Promise<KvFailure>((resolve) => {
      this.#settleFailed = resolve
    })
    this.queue = new KvWriteQueue({
      location,
      tables: this.tables,
      commit: (group) => this.commit(group),
      failed: (cause) => {
        this.fail(cause)
      },
    })
  }

  /**
   * Runs a function on one moment of all tables and returns its result; the moment ends with it. It may be called
   * while another one runs. Throws `STORE_DAMAGED` where a page that is met is damaged, which ends a store that is
   * open for writing.
   */
  protected abstract snapshot<T>(run: (reader: KvReader) => T): T

  /**
   * Carries out one group of bodies, as `commit` of `KvWriteQueueOptions` says. Never called where the store is open
   * for reading.
   */
  protected abstract commit(group: KvWriteGroup): void | Promise<void>

  /** Closes what is open, when all that was queued has been carried out. Called once. */
  protected abstract release(): Promise<void>

  /**
   * Ends what the backend does beside reads and writes. Called once, when the store closes, before its last writes.
   * Default: nothing.
   */
  protected async endWork(): Promise<void> {
    // Most backends do nothing beside.
  }

  read<T>(body: (snapshot: KvSnapshot) => T): T {
    this.admit('read')
    try {
      return this.snapshot((reader) => runReadBody(reader, this.tables, body))
    } catch (error) {
      if (!this.readOnly && isStoreError(error, 'STORE_DAMAGED')) this.fail(error)
      throw error
    }
  }

  write<T>(body: (transaction: KvTransaction) => T, options: KvWriteOptions = {}): Promise<T> {
    this.#refuseInsideBody('write')
    try {
      checkWriteOptions(options)
      this.admit('write')
      if (this.readOnly) throw readOnlyError(this.location)
    } catch (error) {
      return Promise.reject(error as Error)
    }
    return this.queue.submit(body, options)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Whether `close` was called. */
  protected get isClosing(): boolean {
    return this.#closing !== undefined
  }

  /** Whether the store has failed. */
  protected get hasFailed(): boolean {
    return this.#failure !== undefined
  }

  /**
   * To be called first in everything that a user may call. Throws `STORE_FAILED`, `STORE_CLOSED`, or a `TypeError`
   * where a write body calls it, which that dooms.
   */
  protected admit(method: string): void {
    this.#refuseInsideBody(method)
    if (this.#failure !== undefined) throw failedError(this.location, this.#failure.cause)
    if (this.#closing !== undefined) throw closedError(this.location)
  }

  /**
   * To be called after an error that leaves the state in doubt: from now on every call is refused. Only the first one
   * counts. `failed` resolves with it, or once `told` resolves with a cause that says more.
   */
  protected fail(cause: unknown, told?: Promise<unknown>): void {
    if (this.#failure !== undefined) return
    const failure = this.#noteFailure(cause)
    if (told === undefined) this.#settleFailed(failure)
    else
      void told.then(
        (more) => {
          this.#settleFailed(this.#noteFailure(more))
        },
        () => {
          this.#settleFailed(failure)
        },
      )
  }

  #noteFailure(cause: unknown): KvFailure {
    const { code, message } = failedError(this.location, cause)
    this.#failure = { code, message, cause }
    return this.#failure
  }

  async #close(): Promise<void> {
    await this.endWork()
    await this.queue.idle()
    await this.release()
  }

  #refuseInsideBody(method: string): void {
    const { running } = this.queue
    if (running === undefined) return
    throw running.doom(
      new TypeError(`A write body called ${method} of its store; use the transaction that it was given.`),
    )
  }
}
