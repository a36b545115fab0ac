import {
  EXECUTION_STATES,
  type Job,
  type JobStore,
  type SubmitJob,
  type Submitted,
} from '@saltcod/store-core'
import type { StoreCase } from '../store/fixture.ts'
import { readAll } from '../store/pages.ts'
import type { CountedRecord } from '../store/soundness.ts'
import { assertSound } from '../store/soundness.ts'
import type { StoreActor } from '../store/store-actor.ts'

/** One case of the suite of the job store. */
export type JobCase = StoreCase<JobStore>

/** A specification for cases that do not care. */
export const SPEC = { tasks: [{ engine: 'noop', count: 1.5, on: true, nothing: null }] } as const

/** Submits a batch job without an evaluation unless asked for otherwise. */
export async function submit(store: JobStore, request: Partial<SubmitJob> = {}): Promise<Submitted> {
  return await store.submitJob({ type: 'batch', spec: SPEC, evaluation: null, ...request })
}

/** Submits a job and returns it. */
export async function newJob(store: JobStore, request: Partial<SubmitJob> = {}): Promise<Job> {
  return (await submit(store, request)).job
}

/** Submits a job and ends it. */
export async function endedJob(store: JobStore, request: Partial<SubmitJob> = {}): Promise<Job> {
  const { id } = await newJob(store, request)
  return await store.transitionJob({ jobId: id, to: 'Completed' })
}

/** Submits jobs one after the other and returns their ids. */
export async function newJobs(
  store: JobStore,
  number: number,
  request: (n: number) => Partial<SubmitJob> = () => ({}),
): Promise<string[]> {
  const ids: string[] = []
  for (let n = 0; n < number; n++) ids.push((await newJob(store, request(n))).id)
  return ids
}

/** Asserts that a job store is whole and counts what it has. */
export async function assertSoundJobStore(store: JobStore): Promise<void> {
  const jobs = await readAll((request) => store.listJobs({ ...request, limit: 1_000 }))
  const evaluations = await readAll((request) => store.listEvaluations({ ...request, limit: 1_000 }))
  const executions = await readAll((request) =>
    store.listExecutions({ ...request, states: EXECUTION_STATES, limit: 1_000 }),
  )
  const nodes = await readAll((request) => store.listNodes({ ...request, limit: 1_000 }))
  const records: CountedRecord[] = [
    ...nodes.map(({ membership }) => ({ kind: 'node' as const, namespace: '', state: membership })),
    ...jobs.map(({ namespace, state }) => ({ kind: 'job' as const, namespace, state })),
    ...executions.map(({ namespace, state }) => ({ kind: 'execution' as const, namespace, state })),
    ...evaluations.map(({ namespace, status }) => ({
      kind: 'evaluation' as const,
      namespace,
      state: status,
    })),
  ]
  await assertSound(store, records)
}

/** What the cases about both stores need to know of this one. */
export const JOB_ACTOR: StoreActor<JobStore> = {
  create: async (store, request = {}) => (await newJob(store, request)).id,
  advance: (store, jobId) => store.transitionJob({ jobId, to: 'Running' }),
  end: (store, jobId) => store.transitionJob({ jobId, to: 'Completed' }),
  setDeadline: (store, jobId, deadlineAtMs) => store.reviseJob({ jobId, deadlineAtMs, evaluation: null }),
  remove: (store, jobId) => store.deleteJob({ jobId }),
  fail: (store, jobId, outbox) =>
    store.transitionJob({ jobId, to: 'Running', outbox: [...outbox, { destination: '', body: null }] }),
  kind: 'job',
  states: ['Pending', 'Running', 'Completed'],
}
