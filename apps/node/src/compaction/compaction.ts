import { deadShare, rewrite } from '@saltcod/compaction'
import type { Config } from '@saltcod/config'
import { type DurableStore, isStoreError } from '@saltcod/store-core'
import type { Logger } from 'pino'
import { EventCount } from '../waiting/event-count.ts'
import { pause } from '../waiting/pause.ts'
import { type CompactionStatus, type StoreCompaction, type StoreName, sumUp } from './compaction-report.ts'

/** What recovers after a start has the disk first. */
const FIRST_AFTER_MS = 3_000

/** A store that may be rewritten. */
export interface CompactedStore {
  readonly name: StoreName
  readonly store: Pick<DurableStore, 'capabilities' | 'info'>
}

/** What compaction works on. */
export interface CompactionParts {
  readonly stores: readonly CompactedStore[]
  readonly rules: Config['compaction']['rewrite']
  readonly log: Logger
  /** Gets what became of each store. */
  readonly onRewritten?: (report: StoreCompaction) => void
}

/**
 * Rewrites the stores of a node, so that their dead space goes back to the disk: by rule, and when it is asked to. One
 * at a time.
 */
export class Compaction {
  readonly #parts: CompactionParts
  readonly #stop = new AbortController()
  #cancel = new AbortController()
  #status: CompactionStatus = { run: 0, running: false, progress: null, report: null, error: null }
  #turn: Promise<void> = Promise.resolve()
  #loop: Promise<void> = Promise.resolve()
  #rules: Config['compaction']['rewrite']
  readonly #ruleChanges = new EventCount()

  constructor(parts: CompactionParts) {
    this.#parts = parts
    this.#rules = parts.rules
  }

  /** Goes by other rules from now on. */
  follow(rules: Config['compaction']['rewrite']): void {
    this.#rules = rules
    this.#ruleChanges.advance()
  }

  get status(): CompactionStatus {
    return this.#status
  }

  /** Begins to look at the stores, after the start and on its schedule. */
  start(): void {
    this.#loop = this.#runByRule()
  }

  /** Stops what is going on, and resolves when the stores are used no more. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#cancel.abort()
    await Promise.allSettled([this.#loop, this.#turn])
  }

  /**
   * Begins to rewrite every store that can be, unless that is going on; `status` tells how far it is. Returns `null`
   * where none of them can, and nothing begins.
   */
  begin(): CompactionStatus | null {
    if (this.#status.running) return this.#status
    const { stores } = this.#parts
    if (!stores.some(({ store }) => store.capabilities.rewrite !== undefined || isInMemory(store)))
      return null
    this.#begin(stores)
    return this.#status
  }

  /** Stops a compaction that is going on; the stores stay as they are. */
  cancel(): CompactionStatus {
    this.#cancel.abort()
    return this.#status
  }

  #begin(stores: readonly CompactedStore[]): void {
    this.#cancel = new AbortController()
    if (this.#stop.signal.aborted) this.#cancel.abort()
    this.#status = { run: this.#status.run + 1, running: true, progress: null, report: null, error: null }
    this.#turn = this.#carryOut(stores)
  }

  async #carryOut(stores: readonly CompactedStore[]): Promise<void> {
    const done: StoreCompaction[] = []
    try {
      for (const store of stores) done.push(await this.#rewrite(store))
      this.#status = { ...this.#status, running: false, progress: null, report: sumUp(done) }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      const { code, hint } = isStoreError(error) ? error : { code: 'INTERNAL', hint: undefined }
      const stopped = this.#cancel.signal.aborted
      const told = stopped
        ? { code: 'ABORTED', message: 'the compaction was stopped; the store is as it was', hint: null }
        : { code, message, hint: hint ?? null }
      const report = done.length === 0 ? null : sumUp(done)
      this.#status = { ...this.#status, running: false, progress: null, report, error: told }
      if (stopped) this.#parts.log.info('the compaction was stopped')
      else this.#parts.log.error({ err: error }, 'a store could not be rewritten, and goes on as it was')
    }
  }

  async #rewrite({ name, store }: CompactedStore): Promise<StoreCompaction> {
    const { log, onRewritten } = this.#parts
    if (store.capabilities.rewrite === undefined) {
      const skipped = isInMemory(store) ? 'in memory' : 'this store cannot be rewritten'
      return { store: name, bytesBefore: 0, bytesAfter: 0, pauseMs: 0, durationMs: 0, skipped }
    }
    log.info({ store: name }, 'rewriting a store')
    const report = await rewrite(store, {
      signal: this.#cancel.signal,
      onProgress: (copiedRows, totalRows) => {
        this.#status = { ...this.#status, progress: { store: name, copiedRows, totalRows } }
      },
    })
    const compacted: StoreCompaction = { store: name, ...report, skipped: null }
    log.info(compacted, 'a store was rewritten')
    onRewritten?.(compacted)
    return compacted
  }

  async #runByRule(): Promise<void> {
    const { signal } = this.#stop
    if (this.#rules.atStart) {
      await pause(FIRST_AFTER_MS, signal, { ref: false })
      await this.#lookAround()
    }
    while (!signal.aborted) {
      const seen = this.#ruleChanges.count
      const { everyMs } = this.#rules
      await this.#ruleChanges.wait(seen, { ...(everyMs > 0 ? { maxMs: everyMs } : {}), signal })
      if (everyMs > 0 && this.#ruleChanges.count === seen) await this.#lookAround()
    }
  }

  /** Rewrites the stores whose dead space matters. */
  async #lookAround(): Promise<void> {
    if (this.#stop.signal.aborted || this.#status.running) return
    const { log, stores } = this.#parts
    const rules = this.#rules
    const due = stores.filter(({ name, store }) => {
      const { capabilities } = store
      if (capabilities.rewrite === undefined || capabilities.statistics === undefined) return false
      try {
        const { usedBytes, freeBytes } = capabilities.statistics()
        const share = deadShare({ usedBytes, freeBytes })
        return freeBytes >= rules.minBytes && share > rules.deadShare
      } catch (error) {
        log.error({ err: error, store: name }, 'the size of a store could not be looked at')
        return false
      }
    })
    if (due.length === 0) return
    this.#begin(due)
    await this.#turn
  }
}

function isInMemory({ capabilities }: CompactedStore['store']): boolean {
  return !capabilities.durable
}
