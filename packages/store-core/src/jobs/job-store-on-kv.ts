import { requireObject, requireText } from '../arguments/argument-types.ts'
import { checkChoices, checkInteger, checkOptionalInteger } from '../arguments/limits.ts'
import type {
  Claim,
  ClaimEvaluation,
  CompleteEvaluation,
  CreateEvaluation,
  EvaluationQuery,
  ExtendLease,
  NextEvaluations,
  Plan,
  Planned,
  RetryEvaluation,
  TrimEvaluations,
} from '../contract/evaluations.ts'
import type {
  CreateExecution,
  ExecutionQuery,
  ExecutionReport,
  ForgetExecutions,
  ReportOutcome,
  UpdateExecution,
} from '../contract/executions.ts'
import type { AddJobHistory, HistoryQuery } from '../contract/history.ts'
import type { JobStore } from '../contract/job-store.ts'
import type {
  DeleteJob,
  FinishedJobQuery,
  HoldJob,
  ImportJob,
  JobPage,
  JobQuery,
  ReviseJob,
  SubmitJob,
  Submitted,
  TransitionJob,
} from '../contract/jobs.ts'
import { refuseUnknownFields } from '../durable/request-fields.ts'
import { isStoreError } from '../errors.ts'
import type { FoldPlan } from '../fold/fold-step.ts'
import type { KvSnapshot } from '../kv/contract.ts'
import type { Migration } from '../migrations/migration.ts'
import type { CheckOptions, CheckReport } from '../model/check-report.ts'
import type { Evaluation, EvaluationStatus, LeaseToken } from '../model/evaluation.ts'
import type { Execution } from '../model/execution.ts'
import type { FinishedJob, JobSize } from '../model/finished.ts'
import type { HistoryEntry } from '../model/history.ts'
import { JOB_TYPES, type Job } from '../model/job.ts'
import type { Page } from '../model/page.ts'
import type { Deadline, ReclaimReport } from '../model/store-info.ts'
import type { Mutation } from '../rows/mutation.ts'
import { JOB_MACHINE } from '../states/job-state.ts'
import { addHistory } from './add-history.ts'
import {
  createExecution,
  followChange,
  isEnd,
  publicExecution,
  recordExecution,
  updateExecution,
} from './change-execution.ts'
import { holdJob, reviseJob, transitionJob } from './change-job.ts'
import { checkJobStore } from './check-jobs.ts'
import { deleteJob } from './delete-job.ts'
import { enqueueEvaluation } from './evaluation-queue.ts'
import { findEvaluation, loadEvaluation, toEvaluation } from './evaluation-row.ts'
import { nextEvaluationMs, trimEvaluations } from './evaluation-upkeep.ts'
import { evaluationListing, executionListing, findExecution } from './execution-queries.ts'
import { findExecutionRow, isGoneExecution, isReclaimed, toExecution } from './execution-row.ts'
import { sumExecutions } from './execution-sums.ts'
import { finishedJobListing, measureJob } from './finished-jobs.ts'
import { FOLD_JOBS } from './fold-jobs.ts'
import { forgetExecutions } from './forget-executions.ts'
import { historyListing } from './history-listing.ts'
import { importJob } from './import-job.ts'
import { JOB_MIGRATIONS } from './job-migrations.ts'
import { findJob, getJob, getJobByName, jobListing, listVersions } from './job-queries.ts'
import { checkJobQuery } from './job-query.ts'
import { loadJob } from './job-row.ts'
import { JOB_STORE_FIELDS } from './job-store-fields.ts'
import { claimEvaluation, completeEvaluation, extendLease, retryEvaluation, tidyQueue } from './lease.ts'
import { NodeStoreOnKv } from './node-store-on-kv.ts'
import { applyPlan } from './plan.ts'
import { readyEvaluations } from './ready-evaluations.ts'
import { reclaimJobs } from './reclaim-job.ts'
import { submitJob } from './submit-job.ts'
import { clearSuspects, countLost, voidLeases } from './suspect.ts'

const MAX_PAGE_ROWS = 1_000
/** The queue goes on in a full store too, or no stop would take effect. */
const FREES = { frees: true } as const

/** The job store on a key-value backend: each method is one transaction around an operation of this folder. */
export class JobStoreOnKv<Spec = unknown> extends NodeStoreOnKv implements JobStore<Spec> {
  static {
    refuseUnknownFields(JobStoreOnKv.prototype, JOB_STORE_FIELDS)
  }

  protected readonly foldPlan: FoldPlan = FOLD_JOBS
  protected readonly migrations: readonly Migration[] = JOB_MIGRATIONS

  async submitJob(request: SubmitJob<Spec>): Promise<Submitted<Spec>> {
    return await this.mutate(
      'submitJob',
      request,
      (mutation) => submitJob(mutation, request, this.parts.maxSpecBytes),
      { changed: ({ created }) => created },
    )
  }

  async reviseJob(request: ReviseJob<Spec>): Promise<Submitted<Spec>> {
    return await this.mutate('reviseJob', request, (mutation) =>
      reviseJob(mutation, request, this.parts.maxSpecBytes),
    )
  }

  async transitionJob(request: TransitionJob): Promise<Job<Spec>> {
    return await this.mutate('transitionJob', request, (mutation) => transitionJob<Spec>(mutation, request), {
      frees: request.to !== undefined && JOB_MACHINE.terminal.has(request.to),
    })
  }

  async getJob(id: string, version?: number): Promise<Job<Spec> | null> {
    return await this.read((snapshot) => getJob<Spec>(snapshot, id, this.aheadMs(snapshot), version))
  }

  async getJobByName(namespace: string, name: string): Promise<Job<Spec> | null> {
    return await this.read((snapshot) =>
      getJobByName<Spec>(snapshot, namespace, name, this.aheadMs(snapshot)),
    )
  }

  async findJob(text: string, namespace = 'default'): Promise<Job<Spec>> {
    requireText('name or id', text)
    requireText('namespace', namespace)
    return await this.read((snapshot) => findJob<Spec>(snapshot, text, namespace, this.aheadMs(snapshot)))
  }

  async listJobVersions(jobId: string): Promise<Job<Spec>[]> {
    return await this.read((snapshot) => listVersions<Spec>(snapshot, jobId, this.aheadMs(snapshot)))
  }

  async listJobs(query: JobQuery = {}): Promise<JobPage<Spec>> {
    checkJobQuery(query)
    const { page, beside } = await this.pageWith(
      (snapshot) => jobListing<Spec>(snapshot, query, this.aheadMs(snapshot)),
      query,
      (snapshot) => this.feedEnd(snapshot),
    )
    return { ...page, feedCursor: beside }
  }

  async holdJob(request: HoldJob): Promise<Job<Spec>> {
    return await this.mutate('holdJob', request, (mutation) =>
      holdJob<Spec>(mutation, request.jobId, request.reason),
    )
  }

  async listFinishedJobs(query: FinishedJobQuery): Promise<Page<FinishedJob>> {
    return await this.page((snapshot) => finishedJobListing(snapshot, query), query)
  }

  async measureJob(jobId: string): Promise<JobSize | null> {
    return await measureJob(this.parts.kv, jobId)
  }

  async deleteJob(request: DeleteJob): Promise<void> {
    requireObject('request', request)
    checkOptionalInteger('expected revision', request.expectedRevision, 0)
    checkOptionalInteger('expected sequence number', request.expectedHistorySequence, 0)
    const sums = await sumExecutions(this.parts.kv, request.jobId)
    await this.mutate('deleteJob', request, (mutation) => deleteJob(mutation, request, sums), FREES)
  }

  /** The deadlines of a deleted job's executions stay until they are reclaimed, and concern nobody. */
  protected override isGone(snapshot: KvSnapshot, { kind, id }: Deadline): boolean {
    return kind === 'execution' && isGoneExecution(snapshot, id)
  }

  async importJob(request: ImportJob<Spec>): Promise<Job<Spec>> {
    return await importJob<Spec>((body) => this.mutate('importJob', {}, body), request)
  }

  async createExecution(request: CreateExecution): Promise<Execution> {
    return await this.mutate('createExecution', request, (mutation) => {
      const job = loadJob(mutation.rows, request.jobId)
      const made = createExecution(mutation, job, request)
      if (request.evaluation !== undefined) enqueueEvaluation(mutation, job, request.evaluation)
      return publicExecution(mutation, made)
    })
  }

  async forgetExecutions(request: ForgetExecutions): Promise<readonly string[]> {
    return await this.mutate('forgetExecutions', request, (mutation) => forgetExecutions(mutation, request), {
      background: true,
      changed: (ids) => ids.length > 0,
    })
  }

  async updateExecution(request: UpdateExecution): Promise<Execution> {
    return await this.mutate(
      'updateExecution',
      request,
      (mutation) => {
        const changed = updateExecution(mutation, request)
        followChange(mutation, changed, request.evaluation)
        return publicExecution(mutation, changed)
      },
      { frees: isEnd(request) },
    )
  }

  async recordExecution(report: ExecutionReport): Promise<ReportOutcome> {
    return await this.mutate('recordExecution', report, (mutation) => recordExecution(mutation, report), {
      changed: (outcome) => outcome === 'applied',
      // There are so many of them as there are executions, and behind each may wait the report of an end.
      frees: true,
    })
  }

  async getExecution(id: string): Promise<Execution | null> {
    return await this.read((snapshot) => {
      const found = findExecutionRow(snapshot, id)
      return found === undefined ? null : toExecution(id, found.row, this.aheadMs(snapshot))
    })
  }

  async findExecution(text: string): Promise<Execution> {
    return await this.read((snapshot) => findExecution(snapshot, text, this.aheadMs(snapshot)))
  }

  async listExecutions(query: ExecutionQuery): Promise<Page<Execution>> {
    return await this.page((snapshot) => executionListing(snapshot, query, this.aheadMs(snapshot)), query)
  }

  async createEvaluation(request: CreateEvaluation): Promise<Evaluation> {
    return await this.mutate('createEvaluation', request, (mutation) => {
      const id = enqueueEvaluation(mutation, loadJob(mutation.rows, request.jobId), request)
      return toEvaluation(id, loadEvaluation(mutation.rows, id).row, mutation.aheadMs)
    })
  }

  async getEvaluation(id: string): Promise<Evaluation | null> {
    return await this.read((snapshot) => {
      const found = findEvaluation(snapshot, id)
      if (found === undefined || isReclaimed(snapshot, found.row)) return null
      return toEvaluation(id, found.row, this.aheadMs(snapshot))
    })
  }

  async listEvaluations(query: EvaluationQuery): Promise<Page<Evaluation>> {
    return await this.page((snapshot) => evaluationListing(snapshot, query, this.aheadMs(snapshot)), query)
  }

  async trimEvaluations(rule: TrimEvaluations): Promise<number> {
    requireObject('rule', rule)
    return await this.mutate(
      'trimEvaluations',
      {},
      (mutation) => trimEvaluations(mutation, rule.olderThanMs),
      { background: true },
    )
  }

  async claimEvaluation(request: ClaimEvaluation): Promise<Claim | null> {
    requireObject('request', request)
    const incarnation = this.parts.incarnation?.id ?? ''
    for (;;) {
      const claim = await this.mutate(
        'claimEvaluation',
        {},
        (mutation) => claimEvaluation(mutation, incarnation, request),
        FREES,
      )
      if (claim !== 'more') return claim
    }
  }

  /** Voids every lease that an earlier incarnation gave: its process died with them, and the owner is alone. */
  async voidForeignLeases(): Promise<void> {
    const mine = this.parts.incarnation?.id ?? ''
    const lost = await this.read(countLost)
    let voided = 0
    for (let step = -1; step !== 0; voided += step) {
      step = await this.#upkeep('voidLeases', (mutation) =>
        voidLeases(mutation, (incarnation) => incarnation !== mine, lost),
      )
    }
    // The one that was out alone is to blame.
    if (voided > 0 && lost === 'one') {
      while ((await this.#upkeep('clearSuspects', clearSuspects)) > 0) {
        // Each step clears at most a hundred.
      }
    }
  }

  /**
   * Gives the leases of this opening back, as far as the store takes it: whoever closes it in good order died of
   * nothing.
   */
  override async close(): Promise<void> {
    const mine = this.parts.incarnation?.id
    try {
      while (
        mine !== undefined &&
        (await this.#upkeep('voidLeases', (mutation) =>
          voidLeases(mutation, (incarnation) => incarnation === mine, undefined),
        )) > 0
      ) {
        // Each step voids at most a hundred.
      }
    } catch (error) {
      if (!isStoreError(error)) throw error
    }
    await super.close()
  }

  async #upkeep(name: string, body: (mutation: Mutation) => number): Promise<number> {
    return await this.mutate(name, {}, body, FREES)
  }

  async nextEvaluations(query: NextEvaluations = {}): Promise<Evaluation[]> {
    requireObject('query', query)
    const { jobTypes = JOB_TYPES, limit = 100 } = query
    checkChoices('job type', jobTypes, JOB_TYPES)
    checkInteger('limit', limit, 1, MAX_PAGE_ROWS)
    const look = () =>
      this.read((snapshot) => readyEvaluations(snapshot, jobTypes, limit, this.moment(snapshot)))
    const { evaluations, isUntidy } = await look()
    if (!isUntidy || this.parts.kv.readOnly) return [...evaluations]
    await this.mutate('tidyQueue', {}, (mutation) => tidyQueue(mutation, jobTypes), FREES)
    return [...(await look()).evaluations]
  }

  async nextEvaluationMs(): Promise<number | null> {
    return await this.read((snapshot) => nextEvaluationMs(snapshot, this.moment(snapshot)))
  }

  async extendLease(request: ExtendLease): Promise<LeaseToken> {
    requireObject('request', request)
    return await this.mutate(
      'extendLease',
      {},
      (mutation) => extendLease(mutation, request.lease, request.leaseMs),
      FREES,
    )
  }

  async completeEvaluation(request: CompleteEvaluation): Promise<void> {
    await this.mutate(
      'completeEvaluation',
      request,
      (mutation) => {
        completeEvaluation(mutation, request.lease, request.status ?? 'complete', request.comment)
      },
      FREES,
    )
  }

  async retryEvaluation(request: RetryEvaluation): Promise<EvaluationStatus> {
    return await this.mutate(
      'retryEvaluation',
      request,
      (mutation) => retryEvaluation(mutation, request.lease, request),
      FREES,
    )
  }

  async applyPlan(plan: Plan): Promise<Planned> {
    return await this.mutate('applyPlan', plan, (mutation) => applyPlan(mutation, plan), {
      frees: (plan.newExecutions ?? []).length === 0,
    })
  }

  async addHistory(request: AddJobHistory): Promise<HistoryEntry> {
    return await this.mutate('addHistory', request, (mutation) => addHistory(mutation, request))
  }

  async listHistory(query: HistoryQuery): Promise<Page<HistoryEntry>> {
    return await this.page((snapshot) => historyListing(snapshot, query), query)
  }

  async reclaim(): Promise<ReclaimReport> {
    return await this.mutate('reclaim', {}, reclaimJobs, { background: true })
  }

  async check(options: CheckOptions = {}): Promise<CheckReport> {
    return await checkJobStore(this.parts, options)
  }
}
