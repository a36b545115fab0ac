import type { EvaluationHead } from '@saltcod/bacalhau-records'
import {
  COMPUTE_MACHINE,
  COMPUTE_STATES,
  EXECUTION_MACHINE,
  EXECUTION_STATES,
  JOB_MACHINE,
  JOB_STATES,
  type RecordKind,
  type StateCount,
} from '@saltcod/store-core'
import type { StateAge } from '../explain/state-ages.ts'
import type { JobStep } from './job-walk.ts'

type CountedHead = Pick<EvaluationHead, 'namespace' | 'bytes' | 'modifiedAtMs'>

interface Count {
  readonly kind: RecordKind
  readonly namespace: string
  readonly state: string
  records: number
  bytes: number
  oldestSinceMs: number
  newestSinceMs: number
}

/** Counts records by kind, namespace and state as a walk meets them: a file of Bacalhau has no counters. */
export class HeadCounts {
  readonly #counts = new Map<string, Count>()

  /** Adds what a step of a walk along jobs has met. */
  addStep({ job, executions, evaluations }: JobStep): void {
    if (job !== null && job !== undefined) this.add('job', job.state, job)
    for (const head of executions) this.add('execution', head.state, head)
    for (const head of evaluations) this.add('evaluation', head.status, head)
  }

  add(kind: RecordKind, state: string, { namespace, bytes, modifiedAtMs }: CountedHead): void {
    const key = JSON.stringify([kind, namespace, state])
    const count = this.#counts.get(key)
    if (count === undefined) {
      const since = { oldestSinceMs: modifiedAtMs, newestSinceMs: modifiedAtMs }
      this.#counts.set(key, { kind, namespace, state, records: 1, bytes, ...since })
      return
    }
    count.records += 1
    count.bytes += bytes
    count.oldestSinceMs = Math.min(count.oldestSinceMs, modifiedAtMs)
    count.newestSinceMs = Math.max(count.newestSinceMs, modifiedAtMs)
  }

  /** As a store of ours counts them. */
  get counts(): StateCount[] {
    return [...this.#counts.values()]
      .map(({ kind, namespace, state, records, bytes }) => ({ kind, namespace, state, records, bytes }))
      .sort((a, b) => orderOf(a).localeCompare(orderOf(b)))
  }

  /** How many are in each state of the jobs, and of the executions of this kind of store, and since when. */
  agesOf(store: 'jobs' | 'executions'): StateAge[] {
    const ages = (kind: 'job' | 'execution', states: readonly string[], terminal: ReadonlySet<string>) =>
      states.flatMap((state) => this.#ageOf(kind, state, terminal.has(state)) ?? [])
    if (store === 'executions') return ages('execution', COMPUTE_STATES, COMPUTE_MACHINE.terminal)
    return [
      ...ages('job', JOB_STATES, JOB_MACHINE.terminal),
      ...ages('execution', EXECUTION_STATES, EXECUTION_MACHINE.terminal),
    ]
  }

  #ageOf(kind: 'job' | 'execution', state: string, ended: boolean): StateAge | undefined {
    const rows = [...this.#counts.values()].filter((count) => count.kind === kind && count.state === state)
    if (rows.length === 0) return undefined
    return {
      kind,
      state,
      ended,
      records: rows.reduce((sum, { records }) => sum + records, 0),
      bytes: rows.reduce((sum, { bytes }) => sum + bytes, 0),
      oldestSinceMs: rows.reduce(
        (least, { oldestSinceMs }) => Math.min(least, oldestSinceMs),
        Number.MAX_VALUE,
      ),
      newestSinceMs: rows.reduce((most, { newestSinceMs }) => Math.max(most, newestSinceMs), 0),
    }
  }
}

function orderOf({ kind, namespace, state }: StateCount): string {
  const rank = ['job', 'execution', 'evaluation'].indexOf(kind)
  return `${rank} ${namespace} ${state}`
}
