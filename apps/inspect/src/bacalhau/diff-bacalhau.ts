import { type Note, orDamaged, type Tell } from '@saltcod/bacalhau-records'
import { countOf, Failure, Progress, RowPrinter, type Terminal } from '@saltcod/cli-kit'
import type { BoltSnapshot } from '@saltcod/store-bolt'
import type { HistoryEntry, Json, Page, PageRequest } from '@saltcod/store-core'
import type { ListOptions } from '../cli/options.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import type { JobReader } from '../source/record-reader.ts'
import type { ExecutionSource, JobSource, RecordSource } from '../source/record-source.ts'
import { Sources } from '../source/sources.ts'
import { redact } from '../store/redact.ts'
import { executionRow, jobRow } from '../store/rows.ts'
import { Secrets } from '../store/secrets.ts'
import { readPages } from '../store/store-pages.ts'
import { type BacalhauFiles, withBacalhauFiles } from './bacalhau-files.ts'
import { eachBacalhauExecution, eachBacalhauJob } from './bacalhau-records.ts'
import { IdSet } from './id-set.ts'
import { historyDifferences, jobDifferences, missing, type StoredHere, settledBy } from './imported-job.ts'
import { differencesOf, type RecordDifference } from './record-differences.ts'

/**
 * Lists what stores of ours have otherwise than files of Bacalhau, of which they were made: each difference with its
 * reason. Resolves with `findings` where something is lost, or is otherwise without a reason.
 */
export async function diffBacalhau(
  terminal: Terminal,
  source: string,
  other: string,
  options: ListOptions,
): Promise<ExitCode> {
  const sources = new Sources(terminal, other)
  if (await sources.areOfBacalhau()) {
    throw new Failure(EXIT.usage, `both ${source} and ${other} are files of Bacalhau`, {
      hint: 'give a store of ours, or the repository that an import made, as the second one',
    })
  }
  return await withBacalhauFiles(
    terminal,
    source,
    async (files) =>
      await sources.together(async (stores) => await new Comparison(terminal, files, stores, options).run()),
  )
}

class Comparison {
  readonly #terminal: Terminal
  readonly #files: BacalhauFiles
  readonly #jobs: readonly JobSource[]
  readonly #executions: readonly ExecutionSource[]
  readonly #printer: RowPrinter<RecordDifference>
  readonly #progress: Progress
  readonly #limit: number
  /** What a walk through the files met: in a damaged one it meets more than a look for one key finds. */
  readonly #met = new IdSet()
  #compared = 0
  #reasoned = 0
  #unreasoned = 0

  constructor(
    terminal: Terminal,
    files: BacalhauFiles,
    stores: readonly RecordSource[],
    options: ListOptions,
  ) {
    this.#terminal = terminal
    this.#files = files
    this.#jobs = stores.filter((store) => store.kind === 'jobs')
    this.#executions = stores.filter((store) => store.kind === 'executions')
    this.#printer = new RowPrinter(terminal, options.output, COLUMNS)
    this.#progress = new Progress(terminal, () => performance.now())
    this.#limit = options.all === true ? Number.MAX_SAFE_INTEGER : options.limit
  }

  async run(): Promise<ExitCode> {
    // A store of jobs alone may be compared with a repository: what it cannot have is not missing.
    if (this.#jobs.length > 0) await this.#compareJobs()
    if (this.#executions.length > 0) await this.#compareExecutions()
    this.#progress.end()
    this.#printer.end('no differences')
    const all = this.#reasoned + this.#unreasoned
    if (all > this.#limit) this.#terminal.err('there are more differences; raise --limit or give --all\n')
    this.#terminal.err(
      `${countOf(this.#compared, 'record')} compared: ${countOf(this.#reasoned, 'difference')} with a reason, ${this.#unreasoned} without\n`,
    )
    return this.#unreasoned === 0 ? EXIT.ok : EXIT.findings
  }

  async #compareJobs(): Promise<void> {
    for await (const { whole } of eachBacalhauJob(this.#files, 'all', this.#tell)) {
      const job = whole.versions.at(-1)
      if (job === undefined) continue
      this.#met.add(job.id)
      const { executions, evaluations, history, versions } = whole
      const secrets = new Secrets()
      for (const { spec } of versions) secrets.add(spec as unknown as Json)
      this.#count(versions.length + executions.length + evaluations.length + history.length)
      const here = await this.#storedOf(job.id)
      if (here === null) this.#add(missing('job', job.id, jobRow(job)), secrets)
      else for (const difference of jobDifferences(whole, here)) this.#add(difference, secrets)
    }
    for (const { store } of this.#jobs) {
      for await (const job of allOf((request) => store.listJobs(request))) {
        if (!(await this.#isThere('jobs', job.id))) this.#add(added('job', job.id, jobRow(job)))
      }
    }
  }

  async #compareExecutions(): Promise<void> {
    for await (const { whole } of eachBacalhauExecution(this.#files, this.#tell)) {
      const { execution, history } = whole
      const { id } = execution
      this.#met.add(id)
      this.#count(1 + history.length)
      const secrets = new Secrets().add(execution.job.spec as unknown as Json)
      const row = { ...executionRow(execution, null), spec: execution.job.spec as unknown as Json }
      const found = await this.#executionOf(id)
      if (found === null) {
        this.#add(missing('compute-execution', id, row), secrets)
        continue
      }
      const reason = settledBy(
        found.history.filter(({ event }) => event.topic === 'Import'),
        id,
      )
      const reasonOf = (field: string): string | null =>
        reason(field) ??
        (field === 'acknowledgedRevision' ? 'what its requester knows came over with it' : null)
      const pair = { record: 'compute-execution', id, before: row, after: found.row, reasonOf } as const
      for (const difference of differencesOf(pair)) this.#add(difference, secrets)
      for (const difference of historyDifferences('compute-history', id, history, found.history))
        this.#add(difference, secrets)
    }
    for (const { store } of this.#executions) {
      for await (const execution of allOf((request) => store.listExecutions(request))) {
        if (!(await this.#isThere('executions', execution.id)))
          this.#add(added('compute-execution', execution.id, executionRow(execution, new Secrets())))
      }
    }
  }

  /** What the reader of the file tells is a difference, too; what it leaves out is lost. */
  readonly #tell: Tell = ({ kind, record, id, place, message }: Note) =>
    this.#add({
      ...{ record, id, what: kind, field: place, before: null, after: null },
      reason: kind === 'left-out' ? null : message,
    })

  /** Nothing secret is printed, nor what a job wrote out of it. */
  #add({ before, after, ...difference }: RecordDifference, secrets: Secrets = new Secrets()): void {
    if (difference.reason === null) this.#unreasoned += 1
    else this.#reasoned += 1
    if (this.#reasoned + this.#unreasoned > this.#limit) return
    const safe = (value: Json): Json => secrets.blank(redact(value))
    this.#printer.add({ ...difference, before: safe(before), after: safe(after) })
  }

  #count(records: number): void {
    this.#compared += records
    this.#progress.show('records', this.#compared, null)
  }

  async #storedOf(jobId: string): Promise<StoredHere | null> {
    for (const { store } of this.#jobs) {
      if ((await store.getJob(jobId)) === null) continue
      return { versions: await store.listJobVersions(jobId), ...(await this.#belongingTo(store, jobId)) }
    }
    return null
  }

  async #belongingTo(store: JobReader, jobId: string): Promise<Omit<StoredHere, 'versions'>> {
    return {
      executions: await this.#listed((request) => store.listExecutions({ jobId, ...request })),
      evaluations: await this.#listed((request) => store.listEvaluations({ jobId, ...request })),
      history: await this.#listed((request) => store.listHistory({ jobId, ...request })),
    }
  }

  async #executionOf(
    executionId: string,
  ): Promise<{ readonly row: Record<string, Json>; readonly history: readonly HistoryEntry[] } | null> {
    for (const { store } of this.#executions) {
      const execution = await store.getExecution(executionId)
      if (execution === null) continue
      const history = await this.#listed((request) => store.listHistory({ executionId, ...request }))
      return { row: { ...executionRow(execution, null), spec: execution.job.spec as Json }, history }
    }
    return null
  }

  async #listed<T>(read: (request: PageRequest) => Promise<Page<T>>): Promise<T[]> {
    const items: T[] = []
    await readPages(this.#terminal, { limit: null, cursor: undefined }, read, (item) => items.push(item))
    return items
  }

  async #isThere(kind: 'jobs' | 'executions', id: string): Promise<boolean> {
    if (this.#met.has(id)) return true
    const { jobs, executions } = this.#files
    const buckets =
      kind === 'jobs'
        ? jobs.map(({ bolt }) => ({ bolt, bucket: 'jobs' }))
        : executions.flatMap(({ bolt, layout }) =>
            layout.generations.map((generation) => ({ bolt, bucket: generation.executions })),
          )
    for (const { bolt, bucket } of buckets) {
      if (await bolt.read((snapshot) => isIn(snapshot, bucket, id))) return true
    }
    return false
  }
}

async function* allOf<T>(read: (request: PageRequest) => Promise<Page<T>>): AsyncGenerator<T> {
  let cursor: string | null = null
  do {
    const page: Page<T> = await read({ limit: 500, cursor })
    yield* page.items
    cursor = page.next
  } while (cursor !== null)
}

/** Where the way there cannot be read nobody knows. */
function isIn(snapshot: BoltSnapshot, bucket: string, id: string): boolean {
  return (
    orDamaged(
      () => snapshot.bucket([bucket])?.row(id) !== undefined,
      () => {},
    ) ?? false
  )
}

function added(record: RecordDifference['record'], id: string, after: Json): RecordDifference {
  return { record, id, what: 'added', field: '', before: null, after, reason: null }
}

const COLUMNS = [
  { name: 'RECORD', value: ({ record }: RecordDifference) => record },
  { name: 'ID', value: ({ id }: RecordDifference) => id },
  { name: 'WHAT', value: ({ what }: RecordDifference) => what },
  { name: 'FIELD', value: ({ field }: RecordDifference) => field },
  { name: 'BEFORE', value: ({ before }: RecordDifference) => valueText(before) },
  { name: 'AFTER', value: ({ after }: RecordDifference) => valueText(after) },
  { name: 'REASON', value: ({ reason }: RecordDifference) => reason ?? 'none known' },
]

function valueText(value: Json): string {
  return value === null ? '' : JSON.stringify(value).slice(0, 200)
}
