import {
  type ComputeExecution,
  type CreateComputeExecution,
  type ExecutionJob,
  type ExecutionStore,
  newId,
} from '@saltcod/store-core'
import type { StoreCase } from '../store/fixture.ts'
import { readAll } from '../store/pages.ts'
import { assertSound } from '../store/soundness.ts'
import type { StoreActor } from '../store/store-actor.ts'

/** One case of the suite of the execution store. */
export type ExecutionCase = StoreCase<ExecutionStore>

/** The job of executions that do not care. */
export const JOB: ExecutionJob = {
  id: 'job-1',
  version: 2,
  namespace: 'default',
  name: 'words',
  type: 'batch',
  priority: 3,
  spec: { tasks: [{ engine: 'noop' }] },
}

/** Creates an execution of {@link JOB} unless asked for otherwise. */
export async function create(
  store: ExecutionStore,
  request: Partial<CreateComputeExecution> = {},
): Promise<ComputeExecution> {
  return await store.createExecution({ id: newId('e'), job: JOB, requesterId: 'requester', ...request })
}

/** Creates an execution and ends it. */
export async function ended(
  store: ExecutionStore,
  request: Partial<CreateComputeExecution> = {},
): Promise<ComputeExecution> {
  const { id, job } = await create(store, request)
  return { ...(await store.updateExecution({ executionId: id, to: 'Completed' })), job }
}

/** Asserts that an execution store is whole and counts what it has. */
export async function assertSoundExecutionStore(store: ExecutionStore): Promise<void> {
  const executions = await readAll((request) => store.listExecutions({ ...request, limit: 1_000 }))
  await assertSound(
    store,
    executions.map(({ job, state }) => ({ kind: 'execution', namespace: job.namespace, state })),
  )
}

/** What the cases about both stores need to know of this one. */
export const EXECUTION_ACTOR: StoreActor<ExecutionStore> = {
  create: async (store, { namespace, ...request } = {}) => {
    const job = namespace === undefined ? JOB : { ...JOB, namespace }
    // An id of the caller's own making is part of the request, so asking again asks for the same.
    return (await create(store, { job, ...request })).id
  },
  advance: (store, executionId) => store.updateExecution({ executionId, to: 'BidAccepted' }),
  end: (store, executionId) => store.updateExecution({ executionId, to: 'Failed' }),
  setDeadline: (store, executionId, deadlineAtMs) =>
    store.updateExecution({ executionId, patch: { deadlineAtMs } }),
  remove: (store, executionId) => store.deleteExecution({ executionId }),
  fail: (store, executionId, outbox) =>
    store.updateExecution({
      executionId,
      to: 'BidAccepted',
      outbox: [...outbox, { destination: '', body: null }],
    }),
  kind: 'execution',
  states: ['Created', 'BidAccepted', 'Failed'],
}
