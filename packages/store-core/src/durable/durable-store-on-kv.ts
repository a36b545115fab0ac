import { requireObject, requireOptionalFlag, requireOptionalText } from '../arguments/argument-types.ts'
import {
  checkDuration,
  checkInteger,
  checkOptionalChoice,
  checkOptionalInteger,
  OUTBOX_EXTRA_BYTES,
} from '../arguments/limits.ts'
import type { FeedQuery, TrimFeed, WatchQuery } from '../contract/change-feed.ts'
import type { CountQuery, DeadlineQuery, DurableStore } from '../contract/durable-store.ts'
import type { AcknowledgeOutbox, OutboxQuery, ReplaceOutbox } from '../contract/outbox.ts'
import type { SetPeer } from '../contract/peers.ts'
import { type FoldPlan, foldStep } from '../fold/fold-step.ts'
import type { KvCapabilities, KvFailure, KvSnapshot, KvStore } from '../kv/contract.ts'
import type { Migration } from '../migrations/migration.ts'
import { migrateStep } from '../migrations/migrations.ts'
import type { CheckOptions, CheckReport } from '../model/check-report.ts'
import { type FeedCursor, type FeedPage, RECORD_KINDS } from '../model/feed.ts'
import type { FoldReport, FoldRule } from '../model/fold.ts'
import type { OutboxRow } from '../model/outbox.ts'
import type { Page, PageRequest } from '../model/page.ts'
import type { Peer } from '../model/peer.ts'
import type { ChangeRequest } from '../model/request.ts'
import type {
  Deadline,
  QuarantinedRecord,
  ReclaimReport,
  StateCount,
  StoreInfo,
} from '../model/store-info.ts'
import { steadyMoment, writeAheadMs } from '../rows/clock-row.ts'
import { readCounters } from '../rows/counters.ts'
import { knownSequence, knownStoreRow } from '../rows/damaged-meta.ts'
import { readDeadlines } from '../rows/deadlines.ts'
import { decodeFeedCursor, encodeFeedCursor, readFeed, trimFeedRows } from '../rows/feed.ts'
import { readFeedBack } from '../rows/feed-back.ts'
import { type NumberedIncarnation, readIncarnations, type StoreKind } from '../rows/meta.ts'
import { Mutation } from '../rows/mutation.ts'
import { readNamedCursor, writeNamedCursor } from '../rows/named-cursor.ts'
import { Notifier } from '../rows/notifier.ts'
import { readDestinations, readOutbox, removeOutbox, takeOutbox } from '../rows/outbox.ts'
import { type Listing, readPage } from '../rows/pager.ts'
import { readPeer, writePeer } from '../rows/peer.ts'
import { type DamagedRow, damagedRow, putQuarantine, readQuarantine } from '../rows/quarantine.ts'
import { findRequest, putRequest, trimRequests } from '../rows/requests.ts'
import { aheadOf, type Moment, type SteadyClock } from '../rows/steady-clock.ts'
import { DURABLE_STORE_FIELDS } from './durable-store-fields.ts'
import { limitOf, MAX_PAGE_ROWS } from './page-limit.ts'
import { refuseUnknownFields } from './request-fields.ts'
import { watchFeed } from './watch-feed.ts'

/** What a store on a key-value backend is made of. */
export interface StoreParts {
  /** The rows as if nothing had ever been folded. */
  readonly kv: KvStore
  /** The rows as they stand on disk. */
  readonly stored: KvStore
  readonly clock: SteadyClock
  readonly kind: StoreKind
  /** This writable opening; `null` in a store opened for reading. */
  readonly incarnation: NumberedIncarnation | null
  readonly maxSpecBytes: number
}

/** How a change is made. */
interface MutateOptions<T> {
  /** Whether others go first. Default false. */
  readonly background?: boolean
  /** Whether it ends or frees something, and so is carried out in a full store. Default: as `background`. */
  readonly frees?: boolean
  /** Tells from the result whether anything was changed; where nothing was, no message is sent. Default: always. */
  readonly changed?: (result: T) => boolean
}

const MAX_INCARNATIONS_SHOWN = 20
const REQUEST_IDS_KEPT_MS = 86_400_000

/** What both stores share; each adds its own operations, its reclaiming and its check. */
export abstract class DurableStoreOnKv implements DurableStore {
  static {
    refuseUnknownFields(DurableStoreOnKv.prototype, DURABLE_STORE_FIELDS)
  }

  readonly failed: Promise<KvFailure>
  readonly capabilities: KvCapabilities
  protected readonly parts: StoreParts
  readonly #kv: KvStore
  readonly #notifier = new Notifier()
  /** By how much steady time is ahead as the store has it. */
  #notedAheadMs: number

  constructor(parts: StoreParts) {
    this.parts = parts
    this.#kv = parts.kv
    this.#notedAheadMs = aheadOf(parts.clock.read())
    this.failed = parts.kv.failed
    this.capabilities = parts.kv.capabilities
  }

  protected abstract readonly foldPlan: FoldPlan
  /** The work of migrations, for stores of its kind. */
  protected abstract readonly migrations: readonly Migration[]
  abstract reclaim(): Promise<ReclaimReport>
  abstract check(options?: CheckOptions): Promise<CheckReport>

  /**
   * The moment of a read by both clocks. Only the owner knows of each step of the clock; others know what it has
   * written down.
   */
  protected moment(snapshot: KvSnapshot): Moment {
    const moment = this.parts.clock.read()
    return this.#kv.readOnly ? steadyMoment(snapshot, moment.nowMs) : moment
  }

  /** By how much steady time is ahead of the clock in a read. */
  protected aheadMs(snapshot: KvSnapshot): number {
    return aheadOf(this.moment(snapshot))
  }

  /** Runs a read; a damaged record that it meets goes into quarantine before the error is passed on. */
  protected async read<T>(body: (snapshot: KvSnapshot) => T): Promise<T> {
    if (this.#clockWasSet) await this.#followClock()
    try {
      return this.#kv.read(body)
    } catch (error) {
      const damaged = damagedRow(error)
      if (damaged !== null) await this.#quarantine([damaged])
      throw error
    }
  }

  /** Reads a page; damaged records that it met go into quarantine. */
  protected async page<T>(
    listing: (snapshot: KvSnapshot) => Listing<T>,
    request: PageRequest,
  ): Promise<Page<T>> {
    const { page } = await this.pageWith(listing, request, () => undefined)
    return page
  }

  /** Reads a page, and something else at the same moment. */
  protected async pageWith<T, U>(
    listing: (snapshot: KvSnapshot) => Listing<T>,
    request: PageRequest,
    beside: (snapshot: KvSnapshot) => U,
  ): Promise<{ page: Page<T>; beside: U }> {
    requireObject('query', request)
    if (this.#clockWasSet) await this.#followClock()
    const { page, damaged, other } = this.#kv.read((snapshot) => ({
      ...readPage(snapshot, listing(snapshot), request),
      other: beside(snapshot),
    }))
    await this.#quarantine(damaged)
    return { page, beside: other }
  }

  /** Where the feed ends at the moment of a read. */
  protected feedEnd(snapshot: KvSnapshot): FeedCursor {
    return encodeFeedCursor(snapshot, knownSequence(snapshot).newest, this.parts.incarnation)
  }

  /** Makes one change: the body, then counters, feed entry, outbox and request id, all in one transaction. */
  protected async mutate<T>(
    operation: string,
    request: ChangeRequest,
    body: (mutation: Mutation) => T,
    options: MutateOptions<T> = {},
  ): Promise<T> {
    requireObject('request', request)
    const { requestId, outbox = [] } = request
    const maxMessageBytes = this.parts.maxSpecBytes + OUTBOX_EXTRA_BYTES
    const { background = false, frees = background, changed = () => true } = options
    let aheadMs = this.#notedAheadMs
    try {
      const result = await this.#kv.write(
        (rows) => {
          const earlier = requestId === undefined ? undefined : findRequest(rows, operation, requestId)
          if (earlier !== undefined) return earlier.result as T
          const mutation = new Mutation(rows, this.parts.clock.read())
          aheadMs = mutation.aheadMs
          if (aheadMs !== this.#notedAheadMs) writeAheadMs(rows, aheadMs, mutation.nowMs)
          const made = body(mutation)
          if (changed(made)) mutation.send(outbox, maxMessageBytes)
          mutation.finish()
          if (requestId !== undefined) putRequest(rows, operation, requestId, made, mutation.nowMs)
          return made
        },
        { background, frees },
      )
      this.#notedAheadMs = aheadMs
      this.#notifier.notify()
      return result
    } catch (error) {
      const damaged = damagedRow(error)
      if (damaged !== null) await this.#quarantine([damaged])
      throw error
    }
  }

  get #clockWasSet(): boolean {
    return !this.#kv.readOnly && aheadOf(this.parts.clock.read()) !== this.#notedAheadMs
  }

  /** Writes down that the clock was set, so that a later opening knows it too. */
  async #followClock(): Promise<void> {
    // A store that takes no writes is read all the same.
    await this.mutate('followClock', {}, () => undefined, { frees: true }).catch(() => undefined)
  }

  /** Finishes what an opening of a store of an earlier schema has begun. */
  async migrate(): Promise<void> {
    while (
      await this.mutate('migrate', {}, (mutation) => migrateStep(mutation, this.migrations), { frees: true })
    ) {
      // Each step is a transaction of its own.
    }
  }

  /** Failing to note a damaged record must not hide the error that tells of it. */
  async #quarantine(damaged: readonly DamagedRow[]): Promise<void> {
    if (damaged.length === 0 || this.#kv.readOnly) return
    const { nowMs } = this.parts.clock.read()
    await this.#kv
      .write((rows) => {
        for (const row of damaged) putQuarantine(rows, row, nowMs)
      })
      .catch(() => undefined)
  }

  async info(): Promise<StoreInfo> {
    const { kv, kind } = this.parts
    return await this.read((snapshot) => {
      const store = knownStoreRow(snapshot)
      const sequence = knownSequence(snapshot)
      return {
        kind,
        backend: kv.backend,
        location: kv.location,
        readOnly: kv.readOnly,
        schemaVersion: store?.schema ?? 0,
        storeId: store?.storeId ?? '',
        nodeId: store?.nodeId ?? null,
        incarnations: readIncarnations(snapshot, MAX_INCARNATIONS_SHOWN).map(
          ({ number: _, ...incarnation }) => incarnation,
        ),
        sequence: sequence.newest,
        lastChangeAtMs: sequence.newestAtMs,
        createdAtMs: store?.createdAtMs ?? 0,
        quarantined: readQuarantine(snapshot).length,
      }
    })
  }

  async counts(query: CountQuery = {}): Promise<StateCount[]> {
    requireObject('query', query)
    checkOptionalChoice('kind of record', query.kind, RECORD_KINDS)
    requireOptionalText('namespace', query.namespace)
    const { counts, damaged } = await this.read((snapshot) =>
      readCounters(snapshot, query.kind, query.namespace),
    )
    await this.#quarantine(damaged)
    return [...counts]
  }

  async dueDeadlines(query: DeadlineQuery = {}): Promise<Deadline[]> {
    const limit = limitOf(query)
    return await this.read((snapshot) => this.#deadlines(snapshot, this.moment(snapshot).steadyMs, limit))
  }

  async nextDeadlineMs(): Promise<number | null> {
    return await this.read(
      (snapshot) => this.#deadlines(snapshot, Number.MAX_SAFE_INTEGER, 1)[0]?.dueAtMs ?? null,
    )
  }

  #deadlines(snapshot: KvSnapshot, untilMs: number, limit: number): Deadline[] {
    return readDeadlines(snapshot, untilMs, limit, this.aheadMs(snapshot), (deadline) =>
      this.isGone(snapshot, deadline),
    )
  }

  /** Tells whether a deadline is one of something that was deleted and is not yet reclaimed. */
  protected isGone(_snapshot: KvSnapshot, _deadline: Deadline): boolean {
    return false
  }

  async changes(query: FeedQuery = {}): Promise<FeedPage> {
    const limit = limitOf(query)
    const { after = null, reverse = false } = query
    requireOptionalFlag('reverse', reverse)
    const readStretch = reverse ? readFeedBack : readFeed
    const { page, damaged } = await this.read((snapshot) => readStretch(snapshot, after, limit))
    await this.#quarantine(damaged)
    return page
  }

  watch(query: WatchQuery = {}): AsyncIterableIterator<FeedPage> {
    return watchFeed(
      {
        notifier: this.#notifier,
        readOnly: this.#kv.readOnly,
        changes: (after) => this.changes({ after }),
        end: () => this.latestCursor(),
        prove: (cursor) => this.read((snapshot) => void decodeFeedCursor(snapshot, cursor)),
      },
      query,
    )
  }

  async latestCursor(): Promise<FeedCursor> {
    return await this.read((snapshot) => this.feedEnd(snapshot))
  }

  async getNamedCursor(name: string): Promise<FeedCursor | null> {
    return await this.read((snapshot) => readNamedCursor(snapshot, name))
  }

  async setNamedCursor(name: string, cursor: FeedCursor): Promise<void> {
    await this.mutate('setNamedCursor', {}, (mutation) => writeNamedCursor(mutation, name, cursor))
  }

  async trimFeed(rule: TrimFeed): Promise<number> {
    requireObject('rule', rule)
    const { limit = 500, olderThanMs, maxBytes } = rule
    if (olderThanMs !== undefined) checkDuration('olderThanMs', olderThanMs)
    checkOptionalInteger('maxBytes', maxBytes, 0)
    const { requestIdsOlderThanMs = olderThanMs ?? REQUEST_IDS_KEPT_MS } = rule
    checkDuration('requestIdsOlderThanMs', requestIdsOlderThanMs)
    checkInteger('limit', limit, 1, 500)
    return await this.mutate(
      'trimFeed',
      {},
      ({ rows, nowMs }) =>
        trimRequests(rows, nowMs - requestIdsOlderThanMs, limit) + trimFeedRows(rows, rule, nowMs, limit),
      { background: true },
    )
  }

  async fold(rule: FoldRule = {}): Promise<FoldReport> {
    return await foldStep(this.parts.stored, this.foldPlan, rule, this.parts.clock.read().nowMs)
  }

  async readOutbox(query: OutboxQuery): Promise<OutboxRow[]> {
    const limit = limitOf(query)
    const { destination, afterSequence = 0 } = query
    checkInteger('sequence number', afterSequence, 0)
    const { messages, damaged } = await this.read((snapshot) =>
      readOutbox(snapshot, destination, afterSequence, limit),
    )
    await this.#quarantine(damaged)
    return [...messages]
  }

  async outboxDestinations(): Promise<string[]> {
    return await this.read(readDestinations)
  }

  async acknowledgeOutbox(request: AcknowledgeOutbox): Promise<number> {
    requireObject('request', request)
    const { destination, upToSequence } = request
    checkInteger('upToSequence', upToSequence, 0)
    let removed = 0
    for (;;) {
      const step = await this.mutate(
        'acknowledgeOutbox',
        {},
        ({ rows }) => removeOutbox(rows, destination, upToSequence, MAX_PAGE_ROWS),
        { frees: true },
      )
      removed += step
      if (step < MAX_PAGE_ROWS) return removed
    }
  }

  async replaceOutbox(request: ReplaceOutbox): Promise<number> {
    const options = { frees: true, changed: (removed: number) => removed > 0 }
    return await this.mutate('replaceOutbox', request, ({ rows }) => takeOutbox(rows, request), options)
  }

  async getPeer(name: string): Promise<Peer | null> {
    return await this.read((snapshot) => readPeer(snapshot, name))
  }

  async setPeer(request: SetPeer): Promise<void> {
    await this.mutate('setPeer', {}, (mutation) => writePeer(mutation, request), { frees: true })
  }

  async listQuarantine(): Promise<QuarantinedRecord[]> {
    return await this.read(readQuarantine)
  }

  async close(): Promise<void> {
    if (this.#clockWasSet) await this.#followClock()
    await this.#kv.close()
    this.#notifier.notify()
  }
}
