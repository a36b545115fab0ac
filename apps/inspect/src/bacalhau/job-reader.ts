import type { JobHead } from '@saltcod/bacalhau-records'
import {
  type Evaluation,
  EXECUTION_MACHINE,
  type Execution,
  type HistoryEntry,
  JOB_MACHINE,
  type Job,
  type JobQuery,
  labelsMatch,
  type Page,
  type PageRequest,
  type StateCount,
} from '@saltcod/store-core'
import type { JobReader } from '../source/record-reader.ts'
import { HeadCounts } from './head-counts.ts'
import type { JobFile } from './job-file.ts'
import { OrderedRun, type Placed } from './ordered-run.ts'
import { isShortId, noRecord, onlyOf } from './stored-record.ts'

const DEFAULT_LIMIT = 100

interface PlacedRecord extends Placed {
  readonly jobId: string
}

type ListedExecutions = Parameters<JobReader['listExecutions']>[0]
type ListedEvaluations = Parameters<JobReader['listEvaluations']>[0]

/** Reads the records of a requester of Bacalhau as one reads those of a store of ours. */
export class BacalhauJobReader implements JobReader {
  readonly #file: JobFile
  /** The listing that is gone through; of another one nothing is kept. */
  #run: { readonly key: string; readonly run: OrderedRun<PlacedRecord> } | undefined

  constructor(file: JobFile) {
    this.#file = file
  }

  async getJob(id: string, version?: number): Promise<Job | null> {
    const versions = (await this.#file.read(id, 'history'))?.versions ?? []
    return (version === undefined ? versions.at(-1) : versions.find((job) => job.version === version)) ?? null
  }

  /** Up to v1.7 several jobs may have one name: the one in progress has it, or else the newest. */
  async findJob(text: string, namespace = 'default'): Promise<Job> {
    const whole = await this.getJob(text)
    if (whole !== null) return whole
    let named: JobHead | undefined
    for await (const { job } of this.#file.walk({})) {
      if (job === null || job === undefined || job.name !== text || job.namespace !== namespace) continue
      if (named === undefined || isBefore(named, job)) named = job
    }
    const begun = await this.#file.idsFrom(text)
    const matches = named === undefined ? begun : [...new Set([named.id, ...begun])]
    const id = onlyOf('jobs', text, matches)
    const job = id === undefined ? null : await this.getJob(id)
    if (job === null) throw noRecord('job', text)
    return job
  }

  async listJobVersions(jobId: string): Promise<Job[]> {
    const whole = await this.#file.read(jobId, 'history')
    if (whole === null) throw noRecord('job', jobId)
    return [...whole.versions]
  }

  async listJobs(query: JobQuery = {}): Promise<Page<Job>> {
    const { limit, reverse, cursor, ...conditions } = query
    const byState = isByState(conditions)
    const file = this.#file
    const walk = async function* (): AsyncGenerator<PlacedRecord> {
      for await (const { job } of file.walk({})) {
        if (job === null || job === undefined || !fits(job, conditions)) continue
        yield { id: job.id, jobId: job.id, atMs: byState ? job.modifiedAtMs : job.createdAtMs }
      }
    }
    return await this.#page(['jobs', conditions], query, walk, async (placed) => {
      const jobs: Job[] = []
      for (const { id } of placed) {
        const job = await this.getJob(id)
        if (job !== null) jobs.push(job)
      }
      return jobs
    })
  }

  async getExecution(id: string): Promise<Execution | null> {
    const jobId = (await this.#file.executionsFrom(id)).get(id)
    return jobId === undefined ? null : ((await this.#executionsOf(jobId, [id]))[0] ?? null)
  }

  async findExecution(text: string): Promise<Execution> {
    const indexed = await this.#file.executionsFrom(text)
    // The index may be damaged; to go through all jobs takes its time.
    const found = indexed.size === 0 ? await this.#searchExecutions(text) : indexed
    const id = found.has(text) ? text : onlyOf('executions', text, [...found.keys()])
    const [execution] = id === undefined ? [] : await this.#executionsOf(found.get(id) ?? '', [id])
    if (execution === undefined) throw noRecord('execution', text)
    return execution
  }

  async listExecutions(query: ListedExecutions): Promise<Page<Execution>> {
    const { limit, reverse, cursor, ...conditions } = query
    const { jobId, nodeId, states, inProgress } = conditions
    const byCreation =
      jobId !== undefined || (nodeId !== undefined && inProgress !== true && states?.length !== 1)
    const file = this.#file
    const walk = async function* (): AsyncGenerator<PlacedRecord> {
      const steps = jobId === undefined ? file.walk({ executions: true }) : file.walkJob(jobId)
      for await (const { executions } of steps) {
        for (const head of executions) {
          const isWanted =
            (nodeId === undefined || head.nodeId === nodeId) &&
            (states === undefined || states.includes(head.state)) &&
            (inProgress !== true || !EXECUTION_MACHINE.terminal.has(head.state))
          if (isWanted)
            yield { id: head.id, jobId: head.jobId, atMs: byCreation ? head.createdAtMs : head.modifiedAtMs }
        }
      }
    }
    return await this.#page(['executions', conditions], query, walk, async (placed) => {
      const idsOf = new Map<string, string[]>()
      for (const record of placed) idsOf.set(record.jobId, [...(idsOf.get(record.jobId) ?? []), record.id])
      const byId = new Map<string, Execution>()
      for (const [owner, ids] of idsOf) {
        for (const execution of await this.#executionsOf(owner, ids)) byId.set(execution.id, execution)
      }
      return placed.flatMap(({ id }) => byId.get(id) ?? [])
    })
  }

  async listEvaluations(query: ListedEvaluations): Promise<Page<Evaluation>> {
    const { limit, reverse, cursor, ...conditions } = query
    const { jobId, status } = conditions
    const file = this.#file
    const walk = async function* (): AsyncGenerator<PlacedRecord> {
      const steps = jobId === undefined ? file.walk({ evaluations: true }) : file.walkJob(jobId)
      for await (const { evaluations } of steps) {
        for (const head of evaluations) {
          // Those of all jobs come in the order of their ids.
          const atMs = jobId === undefined ? 0 : head.createdAtMs
          if (status === undefined || head.status === status) yield { id: head.id, jobId: head.jobId, atMs }
        }
      }
    }
    return await this.#page(['evaluations', conditions], query, walk, async (placed) => {
      const found: Evaluation[] = []
      for (const { id, jobId: owner } of placed) {
        const whole = await this.#file.read(owner, 'all')
        const evaluation = whole?.evaluations.find((one) => one.id === id)
        if (evaluation !== undefined) found.push(evaluation)
      }
      return found
    })
  }

  async listHistory({
    jobId,
    executionIdPrefix = '',
    limit = DEFAULT_LIMIT,
    reverse,
    cursor,
  }: Parameters<JobReader['listHistory']>[0]): Promise<Page<HistoryEntry>> {
    const all = (await this.#file.read(jobId, 'all'))?.history ?? []
    const wanted = all.filter(
      ({ executionId }) => executionIdPrefix === '' || executionId?.startsWith(executionIdPrefix) === true,
    )
    if (reverse === true) wanted.reverse()
    const from =
      cursor === undefined || cursor === null
        ? 0
        : wanted.findIndex(({ sequence }) => String(sequence) === cursor) + 1
    const items = wanted.slice(from, from + limit)
    const last = items.at(-1)
    const next = last === undefined || from + items.length >= wanted.length ? null : String(last.sequence)
    return { items, next, previous: null, examined: items.length, quarantined: [] }
  }

  async counts({ kind, namespace }: Parameters<JobReader['counts']>[0] = {}): Promise<StateCount[]> {
    const counts = new HeadCounts()
    for await (const step of this.#file.walk({ executions: true, evaluations: true })) counts.addStep(step)
    return counts.counts.filter(
      (count) =>
        (kind === undefined || count.kind === kind) &&
        (namespace === undefined || count.namespace === namespace),
    )
  }

  async #executionsOf(jobId: string, ids: readonly string[]): Promise<readonly Execution[]> {
    const whole = await this.#file.read(jobId, { executions: ids })
    return whole?.executions.filter(({ id }) => ids.includes(id)) ?? []
  }

  async #searchExecutions(text: string): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>()
    for await (const { executions } of this.#file.walk({ executions: true })) {
      for (const { id, jobId } of executions) {
        if (id === text || (isShortId(text) && id.startsWith(text))) found.set(id, jobId)
      }
    }
    return found
  }

  async #page<T>(
    what: unknown,
    { limit = DEFAULT_LIMIT, reverse = false, cursor = null }: PageRequest,
    walk: () => AsyncIterable<PlacedRecord>,
    load: (placed: readonly PlacedRecord[]) => Promise<readonly T[]>,
  ): Promise<Page<T>> {
    const key = JSON.stringify([what, reverse])
    if (this.#run?.key !== key) this.#run = { key, run: new OrderedRun(walk, reverse) }
    const { items, next } = await this.#run.run.page(cursor, limit)
    return { items: await load(items), next, previous: null, examined: items.length, quarantined: [] }
  }
}

/** As in a store of ours: by the time of the state where only a state is asked for, else by creation. */
function isByState({ states, labels = [] }: JobQuery): boolean {
  return (
    states?.length === 1 && !labels.some(({ operator, values }) => operator === '=' && values.length === 1)
  )
}

function fits(
  job: JobHead,
  { namespace, states, type, inProgress, labels, sinceMs, untilMs }: JobQuery,
): boolean {
  return (
    (namespace === undefined || job.namespace === namespace) &&
    (states === undefined || states.includes(job.state)) &&
    (type === undefined || job.type === type) &&
    (inProgress !== true || !JOB_MACHINE.terminal.has(job.state)) &&
    (sinceMs === undefined || job.createdAtMs >= sinceMs) &&
    (untilMs === undefined || job.createdAtMs < untilMs) &&
    labelsMatch(job.labels, labels ?? [])
  )
}

/** Whether the other one has the name rather than this. */
function isBefore(job: JobHead, other: JobHead): boolean {
  const inProgress = (head: JobHead): number => (JOB_MACHINE.terminal.has(head.state) ? 0 : 1)
  const order = inProgress(job) - inProgress(other) || job.createdAtMs - other.createdAtMs
  return order === 0 ? job.id < other.id : order < 0
}
