import { ComputeNode } from '../explain/compute-node.ts'
import { explainOwnJob } from '../explain/explain-own-job.ts'
import { overviewOf } from '../explain/overview.ts'
import { tellMissing } from '../store/missing-records.ts'
import type { OpenedJobs, OpenedStore } from '../store/open-store.ts'
import type { ExecutionSource, JobSource, RecordSource } from './record-source.ts'

/** Makes a source of a store of ours. */
export function ownSource(opened: OpenedStore): RecordSource {
  return opened.kind === 'jobs' ? ownJobs(opened) : ownExecutions(opened)
}

/** Makes a source of a store of jobs of ours. */
export function ownJobs(opened: OpenedJobs): JobSource {
  return {
    ...sharedOf(opened),
    kind: 'jobs',
    store: opened.store,
    explain: async (terminal, job) => await explainOwnJob(terminal, opened, job),
  }
}

function ownExecutions(opened: Extract<OpenedStore, { kind: 'executions' }>): ExecutionSource {
  return {
    ...sharedOf(opened),
    kind: 'executions',
    store: opened.store,
    node: (terminal, policy) => new ComputeNode(terminal, opened, policy),
  }
}

function sharedOf(opened: OpenedStore): Omit<RecordSource, 'kind' | 'store' | 'node' | 'explain'> {
  return {
    path: opened.path,
    storeId: opened.row.storeId,
    nodeId: opened.row.nodeId,
    overview: async (nowMs) => await overviewOf(opened, nowMs),
    tellMissing: async (terminal, listing) => await tellMissing(terminal, opened, listing),
  }
}
