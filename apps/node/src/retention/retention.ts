import type { JobSpec } from '@saltcod/bacalhau-records'
import {
  type ArchiveWriter,
  applyExecutionRetention,
  applyRetention,
  type ClockStep,
  type ExecutionRetentionReport,
  foldFinished,
  type JobRetentionRule,
  type RetentionReport,
} from '@saltcod/compaction'
import { type ExecutionStore, isStoreError, type JobStore, type OutboxMessage } from '@saltcod/store-core'
import type { Logger } from 'pino'
import type { StoreName } from '../compaction/compaction-report.ts'
import { isStoreGone } from '../store-gone.ts'
import { JoinedSignal } from '../waiting/joined-signal.ts'
import { pause } from '../waiting/pause.ts'
import { ClockWatch } from './clock-watch.ts'
import { removeExecutionFiles } from './execution-files.ts'
import { type GcReport, toGcReport } from './gc-report.ts'

const FIRST_AFTER_MS = 10_000
const EVERY_MS = 60_000
/** The longest that folding keeps retention waiting. */
const FOLD_FOR_MS = 30_000
/** Executions of a job that was stopped end a while after their job. */
const LATE_EXECUTIONS_MS = 3_600_000

/** What retention works on. */
export interface RetentionParts {
  readonly jobs: JobStore<JobSpec>
  /** The executions of this node, and where their files lie; `null` for a node that runs nothing. */
  readonly compute: {
    readonly executions: ExecutionStore
    readonly dataDir: string
    readonly resultsDir: string
  } | null
  /** The configured rules. */
  readonly rules: readonly JobRetentionRule[]
  /** What `findClockStep` said when the store had just been opened: later changes hide a wrong clock. */
  readonly clockStep: ClockStep | null
  /** How long after their end records are folded, in milliseconds; `null` for never. */
  readonly foldAfterMs: number | null
  /** Takes jobs before they are removed; `null` where nothing is archived. */
  readonly archive: ArchiveWriter | null
  /** Returns what is said to other nodes with the removal of a job. Default: nothing. */
  readonly farewells?: (jobId: string) => Promise<readonly OutboxMessage[]>
  readonly log: Logger
  /** Gets what each run did that was no dry run. */
  readonly onRun?: (report: GcReport) => void
  /** Gets how many finished records of a store were folded. */
  readonly onFolded?: (store: StoreName, records: number) => void
  /** Default: the clock of the machine. */
  readonly clock?: () => number
}

/** What is asked of one run. */
export interface GcRequest {
  /** Removes nothing. Default false. */
  readonly dryRun?: boolean
  /** Instead of the configured ones. */
  readonly rules?: readonly JobRetentionRule[] | undefined
  /** Says that the clock is right. Default false. */
  readonly confirmClock?: boolean
  readonly signal?: AbortSignal
}

/** Removes old jobs from a node: on a schedule, and when it is asked to. One run at a time. */
export class Retention {
  readonly #parts: RetentionParts
  readonly #clock: () => number
  readonly #watch: ClockWatch
  readonly #stop = new AbortController()
  #turn: Promise<unknown> = Promise.resolve()
  #loop: Promise<void> = Promise.resolve()
  /** Whether executions of removed jobs may be left from earlier. */
  #leftovers = true
  #warned = false
  #rules: readonly JobRetentionRule[]
  #foldAfterMs: number | null

  constructor(parts: RetentionParts) {
    this.#parts = parts
    this.#rules = parts.rules
    this.#foldAfterMs = parts.foldAfterMs
    this.#clock = parts.clock ?? Date.now
    this.#watch = new ClockWatch(this.#clock)
    if (parts.clockStep === null) this.#watch.trust()
  }

  /** The configured rules. */
  get rules(): readonly JobRetentionRule[] {
    return this.#rules
  }

  /** Goes by other rules from the next run on. */
  follow(rules: readonly JobRetentionRule[], foldAfterMs: number | null): void {
    this.#rules = rules
    this.#foldAfterMs = foldAfterMs
  }

  get #archives(): boolean {
    return this.#parts.archive !== null
  }

  /** Begins to run on its schedule. */
  start(): void {
    this.#loop = this.#runOnSchedule()
  }

  /** Ends what is going on between two batches, and resolves when the stores are used no more. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.allSettled([this.#loop, this.#turn])
  }

  /** Runs once, after what is going on. Rejects where a store is full, was closed or has failed. */
  async run(request: GcRequest = {}): Promise<GcReport> {
    const turn = this.#turn.then(() => this.#run(request))
    this.#turn = turn.catch(() => undefined)
    return await turn
  }

  async #runOnSchedule(): Promise<void> {
    const { signal } = this.#stop
    const { log } = this.#parts
    for (let waitMs = FIRST_AFTER_MS; ; waitMs = EVERY_MS) {
      await pause(waitMs, signal, { ref: false })
      if (signal.aborted) return
      try {
        this.#tell(await this.run())
        await this.fold()
      } catch (error) {
        if (isStoreGone(error)) return
        log.error({ err: error }, 'retention was interrupted, will go on')
      }
    }
  }

  /** Folds what ended long enough ago. What it does not get done in its time is left to the next run. */
  async fold(): Promise<void> {
    const { jobs, compute, log, onFolded } = this.#parts
    const foldAfterMs = this.#foldAfterMs
    if (foldAfterMs === null) return
    const until = new JoinedSignal(this.#stop.signal, AbortSignal.timeout(FOLD_FOR_MS))
    const options = { olderThanMs: foldAfterMs, signal: until.signal }
    const stores: readonly (readonly [StoreName, Parameters<typeof foldFinished>[0]])[] = [
      ['jobs', jobs],
      ...(compute === null ? [] : [['executions', compute.executions] as const]),
    ]
    try {
      for (const [name, store] of stores) {
        const { folded, bytesBefore, bytesAfter } = await foldFinished(store, options)
        if (folded === 0) continue
        log.debug({ store: name, folded, bytesBefore, bytesAfter }, 'finished records were folded')
        onFolded?.(name, folded)
      }
    } finally {
      until.release()
    }
  }

  #tell(report: GcReport): void {
    const { log } = this.#parts
    if (report.suspended !== null && !this.#warned) {
      log.warn(
        report.suspended,
        'retention is suspended: the clock is more than a day from the newest change in the store; if it is right, run `saltcod gc --confirm-clock`',
      )
    }
    this.#warned = report.suspended !== null
    if (report.removedJobs > 0 || report.failedJobs > 0) log.info(report, 'retention removed jobs')
  }

  async #run(request: GcRequest): Promise<GcReport> {
    const asked = request.signal === undefined ? [] : [request.signal]
    const until = new JoinedSignal(this.#stop.signal, ...asked)
    try {
      return await this.#runUntil(until.signal, request)
    } finally {
      until.release()
    }
  }

  async #runUntil(signal: AbortSignal, request: GcRequest): Promise<GcReport> {
    const { dryRun = false, confirmClock = false, rules = this.#rules } = request
    if (confirmClock) this.#watch.trust()
    if (!this.#watch.isSteady()) return await this.#suspended(dryRun, rules.length)
    const options = { dryRun, signal, clockConfirmed: true as const, clock: this.#clock }
    // The requester trims its feed and its evaluations itself, with rules or without.
    const untrimmed = { feed: null, evaluationsOlderThanMs: null }
    const { archive, farewells } = this.#parts
    const jobs = await applyRetention(this.#parts.jobs, rules, {
      ...options,
      ...untrimmed,
      ...(archive === null ? {} : { archive }),
      ...(farewells === undefined ? {} : { farewells }),
    })
    if (dryRun) return toGcReport(rules.length, jobs, null, this.#archives)
    const follow = rules.length > 0 && (this.#leftovers || jobs.removed > 0)
    const executions = await this.#followJobs(follow ? jobs : null, options)
    const report = toGcReport(rules.length, jobs, executions, this.#archives)
    this.#parts.onRun?.(report)
    return report
  }

  async #suspended(dryRun: boolean, rules: number): Promise<GcReport> {
    const { jobs, clockStep } = this.#parts
    const nothing = await applyRetention(jobs, [], { dryRun: true, clockConfirmed: true })
    const { lastChangeAtMs } = clockStep ?? (await jobs.info())
    const suspended = { nowMs: this.#clock(), lastChangeAtMs }
    const report = toGcReport(rules, { ...nothing, dryRun, complete: false, suspended }, null, this.#archives)
    if (!dryRun) this.#parts.onRun?.(report)
    return report
  }

  /**
   * Trims the executions' feed, and removes the executions of jobs that are gone: up to those of the newest job
   * removed, or all that a crash may have left.
   */
  async #followJobs(
    removal: RetentionReport | null,
    options: { readonly signal: AbortSignal; readonly clock: () => number; readonly clockConfirmed: true },
  ): Promise<ExecutionRetentionReport | null> {
    const { jobs, compute } = this.#parts
    if (compute === null) return null
    const { createdAtMs } = await jobs.info()
    const upToMs = this.#leftovers ? this.#clock() : (removal?.removedUpToMs ?? 0) + LATE_EXECUTIONS_MS
    const rules = removal === null ? [] : [{ maxAgeMs: Math.max(0, this.#clock() - upToMs) }]
    const report = await applyExecutionRetention(compute.executions, rules, {
      ...options,
      isWanted: async ({ id, jobId }) => {
        if (await isThere(jobs, jobId)) return true
        // A job store that is younger than the execution never knew its job, and cannot have removed it.
        const execution = await compute.executions.getExecution(id)
        return execution !== null && execution.createdAtMs < createdAtMs
      },
      removeResults: ({ id }) => removeExecutionFiles(compute, id),
    })
    // What the requester had not acknowledged, or what failed, is looked for again.
    if (removal !== null) this.#leftovers = !report.complete || report.unacknowledged > 0 || report.failed > 0
    return report
  }
}

/** A job whose record is damaged is there as well. */
async function isThere(jobs: JobStore<JobSpec>, jobId: string): Promise<boolean> {
  try {
    return (await jobs.getJob(jobId)) !== null
  } catch (error) {
    if (isStoreError(error, 'RECORD_CORRUPT')) return true
    throw error
  }
}
