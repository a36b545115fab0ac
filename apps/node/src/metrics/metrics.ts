import type { JobSpec } from '@saltcod/bacalhau-records'
import type { ArchiveTotals } from '@saltcod/compaction'
import { deadShare } from '@saltcod/compaction'
import type { DurableStore, EndReason, FeedCursor, JobStore } from '@saltcod/store-core'
import { Counter, Gauge, Registry } from 'prom-client'
import type { StoreCompaction, StoreName } from '../compaction/compaction-report.ts'
import type { ComputeNode } from '../compute/compute-node.ts'
import type { GcReport } from '../retention/gc-report.ts'
import type { ServerTls } from '../tls/server-tls.ts'
import type { NodeView } from '../wire/node-output.ts'
import { COUNTERS, type Definition, GAUGES, isCounted, RECORD_GAUGES } from './definitions.ts'

/** What the metrics of a requester are read from. */
export interface RequesterParts {
  readonly jobs: JobStore<JobSpec>
  readonly nodes: { list(): readonly NodeView[] }
  /** How far it has followed the change feed. */
  readonly followed: { readonly cursor: FeedCursor | null }
  /** How many executions ended, by why. */
  readonly ends: { entries(): Iterable<readonly [EndReason, number]> }
}

/** What of a compute side has numbers. */
type Observed = Pick<
  ComputeNode,
  'isolation' | 'load' | 'helpers' | 'images' | 'standing' | 'refusedReports' | 'listRefused'
>

/** What the metrics of a node are read from. */
export interface MetricsParts {
  /** `null` for a node that runs jobs of another requester. */
  readonly requester: RequesterParts | null
  /** `null` for a node that runs nothing. */
  readonly executions: Pick<
    DurableStore,
    'counts' | 'info' | 'capabilities' | 'outboxDestinations' | 'readOutbox'
  > | null
  readonly archive: { readonly totals: ArchiveTotals } | null
  /** The compute side; undefined while there is none. */
  readonly compute: () => Observed | undefined
  /** What went over the network to the requester and back; absent where that is in the same process. */
  readonly link?: { readonly bytes: { readonly sent: number; readonly received: number } }
  /** The certificates of what listens; absent where it speaks no TLS. */
  readonly tls?: Pick<ServerTls, 'ends'> | null
  /** How much was refused for whom it came from; absent where nobody is. */
  readonly refusals?: { counts(): Iterable<readonly [string, number]> }
  readonly clock: () => number
}

/**
 * The numbers of a node for Prometheus. They come from counters of the stores and of the process, never from a scan.
 */
export class Metrics {
  readonly #parts: MetricsParts
  readonly #registry = new Registry()
  readonly #gauges = new Map<string, Gauge>()
  readonly #counters = new Map<string, Counter>()

  constructor(parts: MetricsParts) {
    this.#parts = parts
    const has = { requester: parts.requester !== null, compute: parts.executions !== null }
    const counted = ([name]: Definition): boolean => isCounted(name, has)
    for (const [name, help, labels] of GAUGES.filter(counted)) {
      this.#gauges.set(name, new Gauge({ name, help, labelNames: [...labels], registers: [this.#registry] }))
    }
    for (const [name, help, labels] of COUNTERS.filter(counted)) {
      this.#counters.set(
        name,
        new Counter({ name, help, labelNames: [...labels], registers: [this.#registry] }),
      )
    }
  }

  /** The type of what {@link Metrics.text} writes. */
  get contentType(): string {
    return this.#registry.contentType
  }

  /** Adds a run of retention. */
  addGc(report: GcReport): void {
    this.#add('saltcod_retention_runs_total', 1)
    this.#add('saltcod_retention_removed_jobs_total', report.removedJobs)
    this.#add('saltcod_retention_removed_bytes_total', report.removedBytes)
    this.#add('saltcod_retention_removed_executions_total', report.removedExecutions)
    this.#add('saltcod_retention_archived_jobs_total', report.archivedJobs)
    this.#add('saltcod_retention_failed_jobs_total', report.failedJobs)
    this.#set('saltcod_retention_overdue_seconds', report.overdueSeconds)
    this.#set('saltcod_retention_suspended', report.suspended === null ? 0 : 1)
  }

  /** Adds finished records that were folded. */
  addFolded(store: StoreName, records: number): void {
    this.#add('saltcod_folded_records_total', records, { store })
  }

  /** Adds a rewrite of a store. */
  addRewrite({ store, bytesBefore, bytesAfter, pauseMs }: StoreCompaction): void {
    this.#add('saltcod_rewrites_total', 1, { store })
    this.#add('saltcod_rewrite_given_back_bytes_total', Math.max(0, bytesBefore - bytesAfter), { store })
    this.#set('saltcod_rewrite_last_pause_seconds', pauseMs / 1000, { store })
  }

  /** Writes all numbers as they are now, in the text format of Prometheus. */
  async text(): Promise<string> {
    const { requester, executions, archive, tls, clock } = this.#parts
    for (const name of RECORD_GAUGES) this.#gauges.get(name)?.reset()
    if (requester !== null) await this.#readRequester(requester)
    if (executions !== null) {
      await this.#readStore('executions', executions)
      for (const requesterId of await executions.outboxDestinations())
        if (!requesterId.startsWith('@'))
          await this.#readLag('saltcod_link_report_lag_seconds', executions, requesterId, {
            requester: requesterId,
          })
    }
    this.#readRoom()
    this.#counters.get('saltcod_refused_total')?.reset()
    for (const [reason, count] of this.#parts.refusals?.counts() ?? [])
      this.#add('saltcod_refused_total', count, { reason })
    await this.#readLink()
    for (const { what, untilMs } of tls?.ends ?? [])
      this.#set('saltcod_tls_certificate_left_seconds', (untilMs - clock()) / 1000, { certificate: what })
    if (archive !== null) {
      this.#set('saltcod_archive_jobs', archive.totals.jobs)
      this.#set('saltcod_archive_segments', archive.totals.segments)
      this.#set('saltcod_archive_bytes', archive.totals.bytes)
    }
    return await this.#registry.metrics()
  }

  async #readRequester({ jobs, nodes, ends, followed }: RequesterParts): Promise<void> {
    await this.#readStore('jobs', jobs)
    const nowMs = this.#parts.clock()
    for (const { description, connected, lastContactMs } of nodes.list()) {
      const label = { node: description.nodeId }
      this.#set('saltcod_node_connected', connected ? 1 : 0, label)
      this.#set('saltcod_node_silent_seconds', Math.max(0, nowMs - lastContactMs) / 1000, label)
      await this.#readLag('saltcod_node_command_lag_seconds', jobs, label.node, label)
    }
    await this.#readQueue(jobs, followed.cursor)
    this.#counters.get('saltcod_execution_ends_total')?.reset()
    for (const [reason, count] of ends.entries()) this.#add('saltcod_execution_ends_total', count, { reason })
  }

  /** Reads one row: the oldest of those that nobody has confirmed. */
  async #readLag(
    name: string,
    store: Pick<DurableStore, 'readOutbox'>,
    destination: string,
    labels: Readonly<Record<string, string>>,
  ): Promise<void> {
    const [oldest] = await store.readOutbox({ destination, afterSequence: 0, limit: 1 })
    const ageMs = oldest === undefined ? 0 : this.#parts.clock() - oldest.atMs
    this.#set(name, Math.max(0, ageMs) / 1000, labels)
  }

  async #readLink(): Promise<void> {
    const compute = this.#parts.compute()
    const standing = compute?.standing()
    this.#set('saltcod_link_connected', standing?.state === 'connected' ? 1 : 0)
    this.#count('saltcod_link_reconnects_total', standing?.reconnects ?? 0)
    this.#count('saltcod_link_refused_reports_total', compute?.refusedReports() ?? 0)
    this.#set('saltcod_link_refused_reports', (await compute?.listRefused())?.length ?? 0)
    const { link } = this.#parts
    if (link === undefined) return
    this.#counters.get('saltcod_link_bytes_total')?.reset()
    for (const [direction, bytes] of Object.entries(link.bytes))
      this.#add('saltcod_link_bytes_total', bytes, { direction })
  }

  #readRoom(): void {
    const compute = this.#parts.compute()
    if (compute === undefined) return
    if (compute.isolation !== null) this.#set('saltcod_exec_isolation', 1, { mode: compute.isolation })
    const { runningExecutions, heldBack } = compute.load()
    this.#set('saltcod_runs', runningExecutions)
    this.#set('saltcod_runs_held_back', heldBack)
    const { keepersStarted, runnersStarted, runnersRetired } = compute.helpers()
    this.#count('saltcod_keeper_starts_total', keepersStarted)
    this.#count('saltcod_runners_started_total', runnersStarted)
    this.#count('saltcod_runners_retired_total', runnersRetired)
    const { kept, fetched, removed } = compute.images()
    this.#set('saltcod_images', kept)
    this.#count('saltcod_images_fetched_total', fetched)
    this.#count('saltcod_images_removed_total', removed)
  }

  async #readStore(
    name: StoreName,
    store: Pick<DurableStore, 'counts' | 'info' | 'capabilities'>,
  ): Promise<void> {
    const label = { store: name }
    for (const { kind, namespace, state, records } of await store.counts()) {
      if (kind === 'job') this.#set('saltcod_jobs', records, { namespace, state })
      if (kind === 'execution') this.#set('saltcod_executions', records, { ...label, namespace, state })
      if (kind === 'evaluation') this.#set('saltcod_evaluations', records, { namespace, status: state })
    }
    const { sequence, quarantined } = await store.info()
    this.#set('saltcod_store_sequence', sequence, label)
    this.#set('saltcod_store_quarantined_records', quarantined, label)
    const statistics = store.capabilities.statistics?.()
    if (statistics === undefined) return
    this.#set('saltcod_store_file_bytes', statistics.fileBytes, label)
    this.#set('saltcod_store_used_bytes', statistics.usedBytes, label)
    this.#set('saltcod_store_free_bytes', statistics.freeBytes, label)
    this.#set('saltcod_store_dead_share', deadShare(statistics), label)
  }

  /** Reads one row of each queue: what is oldest tells for how long nobody came. */
  async #readQueue(jobs: JobStore<JobSpec>, cursor: FeedCursor | null): Promise<void> {
    const nowMs = this.#parts.clock()
    const dueMs = (await jobs.nextEvaluationMs()) ?? nowMs
    this.#set('saltcod_evaluation_overdue_seconds', Math.max(0, nowMs - dueMs) / 1000)
    const { changeSets } = await jobs.changes({ after: cursor, limit: 1 })
    const oldestMs = cursor === null ? nowMs : (changeSets[0]?.atMs ?? nowMs)
    this.#set('saltcod_feed_lag_seconds', Math.max(0, nowMs - oldestMs) / 1000)
  }

  #add(name: string, value: number, labels: Readonly<Record<string, string>> = {}): void {
    this.#counters.get(name)?.inc({ ...labels }, value)
  }

  /** Takes over a number that is counted elsewhere. */
  #count(name: string, value: number): void {
    this.#counters.get(name)?.reset()
    this.#add(name, value)
  }

  #set(name: string, value: number, labels: Readonly<Record<string, string>> = {}): void {
    this.#gauges.get(name)?.set({ ...labels }, value)
  }
}
