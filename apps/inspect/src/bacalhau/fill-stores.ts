import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import {
  type Offers,
  settleComputeExecution,
  settleJob,
  type Tell,
  type WholeBacalhauJob,
} from '@saltcod/bacalhau-records'
import { isStoreError } from '@saltcod/store-core'
import { STORE_TABLES } from '@saltcod/store-core/backend'
import { type StoreKind, StoreLoader } from '@saltcod/store-core/format'
import { openLmdbKv } from '@saltcod/store-lmdb'
import { trim } from '../store/new-store.ts'
import type { BacalhauFiles } from './bacalhau-files.ts'
import { eachBacalhauExecution, eachBacalhauJob } from './bacalhau-records.ts'
import { type ImportPlace, STORE_FILES } from './import-place.ts'
import { NameOwners } from './name-owners.ts'

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
  { place, nowMs }: FillOptions,
  add: (loader: StoreLoader) => Promise<void>,
): Promise<number> {
  const path = join(place.work, STORE_FILES[kind])
  const kv = await openLmdbKv({ path, tables: STORE_TABLES })
  try {
    const loader = new StoreLoader(kv, { kind, storeId: randomUUID(), nodeId: place.nodeId, nowMs })
    await add(loader)
    await loader.finish()
  } finally {
    await kv.close()
  }
  return trim(path)
}

async function fillJobs(loader: StoreLoader, options: FillOptions, counts: FillCounts): Promise<void> {
  const { files, tell, onProgress } = options
  const names = new NameOwners()
  let total = 0
  for await (const { whole } of eachBacalhauJob(files, 'job', () => {})) {
    names.see(whole)
    total += 1
    onProgress('names: jobs', total, null)
  }
  for await (const { whole } of eachBacalhauJob(files, 'all', tell)) {
    const settled = named(settleJob(whole, options), names, tell)
    await adding(settled.versions[0]?.id ?? '', 'job', tell, async () => {
      await loader.addJob(settled)
      counts.jobs += 1
      if (settled.versions.at(-1)?.finishedAtMs === null) counts.jobsInProgress += 1
      counts.executions += settled.executions.length
      counts.evaluations += settled.evaluations.length
      counts.history += settled.history.length
    })
    onProgress('jobs', counts.jobs, total)
  }
}

async function fillExecutions(loader: StoreLoader, options: FillOptions, counts: FillCounts): Promise<void> {
  const { files, tell, onProgress } = options
  for await (const { whole } of eachBacalhauExecution(files, tell)) {
    const settled = settleComputeExecution(whole, options)
    await adding(settled.execution.id, 'execution', tell, async () => {
      await loader.addExecution(settled)
      counts.computeExecutions += 1
      counts.computeHistory += settled.history.length
    })
    onProgress('executions of the compute node', counts.computeExecutions, null)
  }
}

/** What our store does not take is left out and told of; everything else ends the import. */
async function adding(
  id: string,
  record: 'job' | 'execution',
  tell: Tell,
  add: () => Promise<void>,
): Promise<void> {
  try {
    await add()
  } catch (error) {
    const isRefusal =
      error instanceof TypeError || isStoreError(error, 'INVALID_ARGUMENT', 'TRANSACTION_TOO_LARGE')
    if (!isRefusal) throw error
    const place = record === 'job' ? `jobs/${id}` : id
    tell({
      kind: 'left-out',
      record,
      id,
      place,
      code: 'refused',
      message: `${error.message}; it is left out`,
    })
  }
}

function named(whole: WholeBacalhauJob, names: NameOwners, tell: Tell): WholeBacalhauJob {
  const job = whole.versions.at(-1)
  if (job === undefined) return whole
  const { id, namespace } = job
  const name = names.nameOf(id, namespace, job.name)
  if (name === job.name) return whole
  const message = `its name ${job.name} belongs to another job of namespace ${namespace} here; it is named ${name}`
  tell({ kind: 'changed', record: 'job', id, place: `jobs/${id}/spec`, code: 'name-taken', message })
  return { ...whole, versions: whole.versions.map((version) => ({ ...version, name })) }
}
