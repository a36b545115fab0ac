import { randomUUID } from 'node:crypto'
import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Offers,
  readJob,
  readJobHead,
  settleComputeExecution,
  settleJob,
  type Tell,
  type WholeBacalhauJob,
} from '@saltcod/bacalhau-records'
import type { Job } from '@saltcod/store-core'
import { STORE_TABLES } from '@saltcod/store-core/backend'
import { type StoreKind, StoreLoader } from '@saltcod/store-core/format'
import { type LoadBatch, loadLmdbFile } from '@saltcod/store-lmdb'
import { addLargeJob } from './add-large-job.ts'
import type { BacalhauFiles } from './bacalhau-files.ts'
import { eachBacalhauExecution, eachStoredJob } from './bacalhau-records.ts'
import { addFittingExecution, FittingJobs } from './fitting-jobs.ts'
import { type ImportPlace, STORE_FILES } from './import-place.ts'
import { NameOwners } from './name-owners.ts'
import { SortedRows } from './sorted-rows.ts'

/** A longer job is read record by record: it would take about three times as much memory as it has bytes. */
const LARGE_JOB_BYTES = 8 * 1024 * 1024

/** What was brought over. */
export interface FillCounts {
  jobs: number
  jobsInProgress: number
  executions: number
  evaluations: number
  history: number
  computeExecutions: number
  computeHistory: number
  /** Bytes of both new stores. */
  bytes: number
}

/** What filling the stores needs. */
export interface FillOptions {
  readonly files: BacalhauFiles
  readonly place: ImportPlace
  readonly offers: Offers
  readonly nowMs: number
  readonly tell: Tell
  /** Jobs with more bytes are read record by record; default 8 MiB. */
  readonly largeJobBytes?: number
  /** Called with records that are done. */
  readonly onProgress: (what: string, done: number, total: number | null) => void
}

/** Makes both stores in the work directory of a place. */
export async function fillStores(options: FillOptions): Promise<FillCounts> {
  const counts: FillCounts = {
    ...{ jobs: 0, jobsInProgress: 0, executions: 0, evaluations: 0, history: 0 },
    ...{ computeExecutions: 0, computeHistory: 0, bytes: 0 },
  }
  counts.bytes += await fill('jobs', options, (loader) => fillJobs(loader, options, counts))
  counts.bytes += await fill('executions', options, (loader) => fillExecutions(loader, options, counts))
  return counts
}

async function fill(
  kind: StoreKind,
  { place, nowMs, onProgress }: FillOptions,
  add: (loader: StoreLoader) => Promise<void>,
): Promise<number> {
  const path = join(place.work, STORE_FILES[kind])
  const sorted = new SortedRows(place.work)
  const loader = new StoreLoader((rows) => sorted.add(rows), {
    ...{ kind, storeId: randomUUID(), nodeId: place.nodeId, nowMs },
  })
  await add(loader)
  loader.finish()
  await loadLmdbFile({ path, tables: STORE_TABLES, batches: told(sorted, kind, onProgress) })
  // The check makes it anew, and the node its own.
  rmSync(`${path}-lock`, { force: true })
  return statSync(path).size
}

async function* told(
  sorted: SortedRows,
  kind: StoreKind,
  onProgress: FillOptions['onProgress'],
): AsyncGenerator<LoadBatch> {
  let done = 0
  for await (const batch of sorted.batches()) {
    yield batch
    done += batch.rows.length
    onProgress(`rows of the ${kind === 'jobs' ? 'job' : 'execution'} store`, done, sorted.rows)
  }
}

async function fillJobs(loader: StoreLoader, options: FillOptions, counts: FillCounts): Promise<void> {
  const { files, tell, onProgress, largeJobBytes = LARGE_JOB_BYTES } = options
  const names = new NameOwners()
  let total = 0
  for await (const { stored } of eachStoredJob(files, 'job', () => {})) {
    const head = stored === null || stored.spec === null ? null : readJobHead(stored.id, stored.spec)
    if (head !== null) names.see(head)
    total += 1
    onProgress('names: jobs', total, null)
  }
  const fitting = new FittingJobs(loader, tell)
  for await (const { stored, file, key } of eachStoredJob(files, 'all', tell, largeJobBytes)) {
    if (stored === null) {
      const nameOf = (job: Job): string => ownName(job, names, tell)
      const large = { ...options, file, key, fitting, nameOf }
      const added = await addLargeJob({ ...large, onProgress: (what, done) => onProgress(what, done, null) })
      if (added !== null) count(counts, added.load, added.inProgress)
    } else {
      const whole = readJob(stored, file.layout.numbering, tell)
      const added = whole === null ? null : fitting.add(named(settleJob(whole, options), names, tell))
      if (added !== null) {
        const { executions, evaluations, history } = added
        const numbers = {
          executions: executions.length,
          evaluations: evaluations.length,
          history: history.length,
        }
        count(counts, numbers, added.versions.at(-1)?.finishedAtMs === null)
      }
    }
    onProgress('jobs', counts.jobs, total)
  }
}

function count(
  counts: FillCounts,
  { executions, evaluations, history }: Pick<FillCounts, 'executions' | 'evaluations' | 'history'>,
  inProgress: boolean,
): void {
  counts.jobs += 1
  if (inProgress) counts.jobsInProgress += 1
  counts.executions += executions
  counts.evaluations += evaluations
  counts.history += history
}

async function fillExecutions(loader: StoreLoader, options: FillOptions, counts: FillCounts): Promise<void> {
  const { files, tell, onProgress } = options
  for await (const { whole } of eachBacalhauExecution(files, tell)) {
    const settled = settleComputeExecution(whole, options)
    if (addFittingExecution(loader, settled, tell)) {
      counts.computeExecutions += 1
      counts.computeHistory += settled.history.length
    }
    onProgress('executions of the compute node', counts.computeExecutions, null)
  }
}

/** Returns the name that a job gets; another one than it had is told. */
function ownName({ id, namespace, name: before }: Job, names: NameOwners, tell: Tell): string {
  const name = names.nameOf(id, namespace, before)
  if (name === before) return name
  const message = `its name ${before} belongs to another job of namespace ${namespace} here; it is named ${name}`
  tell({ kind: 'changed', record: 'job', id, place: `jobs/${id}/spec`, code: 'name-taken', message })
  return name
}

function named(whole: WholeBacalhauJob, names: NameOwners, tell: Tell): WholeBacalhauJob {
  const newest = whole.versions.at(-1)
  if (newest === undefined) return whole
  const name = ownName(newest, names, tell)
  return { ...whole, versions: whole.versions.map((version) => ({ ...version, name })) }
}
