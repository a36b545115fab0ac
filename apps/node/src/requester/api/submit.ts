import { isDeepStrictEqual } from 'node:util'
import type { ClientVersion, JobSpec } from '@saltcod/bacalhau-records'
import type { Submitted } from '@saltcod/store-core'
import { isStoreError, newId } from '@saltcod/store-core'
import { ApiError } from '../../wire/api-error.ts'
import type { SubmittedJob } from '../../wire/job-input.ts'
import type { RequesterContext } from '../context.ts'

/** What is said to a client whose job got another name. */
export type Warn = (warning: string) => void

/**
 * Stores a job that was submitted. One whose name is taken is a new version of the job with that name; for a client
 * that knows nothing of that it is a new job, with a name of its own.
 */
export async function submit(
  context: RequesterContext,
  input: SubmittedJob,
  {
    submitKey,
    client,
    warn,
  }: { readonly submitKey: string | null; readonly client: ClientVersion; readonly warn: Warn },
): Promise<Submitted<JobSpec>> {
  const { name } = input
  try {
    return await create(context, input, submitKey)
  } catch (error) {
    if (name === null || submitKey !== null || !isStoreError(error, 'JOB_NAME_TAKEN')) throw error
    if (client.uniqueNames) return update(context, input, name)
    return await createBeside(context, input, name, warn)
  }
}

async function create(
  { store, clock }: RequesterContext,
  { definition, id, namespace, name, totalTimeoutMs }: SubmittedJob,
  submitKey: string | null,
): Promise<Submitted<JobSpec>> {
  return await store.submitJob({
    ...definition,
    ...(id === null ? {} : { id }),
    ...(name === null ? {} : { name }),
    namespace,
    ...(submitKey === null ? {} : { submitKey }),
    deadlineAtMs: totalTimeoutMs === 0 ? null : clock() + totalTimeoutMs,
    evaluation: { trigger: 'job-register' },
    event: { message: 'Job submitted', topic: 'Submission' },
  })
}

/** Names belong to one job each, so the new job's own id tells it from the job that has the name. */
async function createBeside(
  context: RequesterContext,
  input: SubmittedJob,
  name: string,
  warn: Warn,
): Promise<Submitted<JobSpec>> {
  const id = input.id ?? newId('j')
  const own = `${name}-${id.replace(/^j-/, '')}`
  const submitted = await create(context, { ...input, id, name: own }, null)
  warn(
    `the name ${name} belongs to another job already, so this one is named ${own}; a client that names v1.8.0 or later in the header X-Bacalhau-Git-Version makes a new version of that job instead`,
  )
  return submitted
}

async function update(
  { store, clock }: RequesterContext,
  input: SubmittedJob,
  name: string,
): Promise<Submitted<JobSpec>> {
  const { definition, namespace, totalTimeoutMs, force } = input
  const present = await store.getJobByName(namespace, name)
  if (present === null) {
    throw new ApiError('ResourceInUse', `job name ${name} was taken a moment ago`, {
      hint: 'submit it again',
    })
  }
  const { type, ...changes } = definition
  if (present.type !== type) {
    throw new ApiError(
      'ResourceInUse',
      `job name ${name} already exists in namespace ${namespace} as a ${present.type} job`,
      {
        hint: 'choose another name',
      },
    )
  }
  const unchanged =
    present.priority === changes.priority &&
    present.count === changes.count &&
    isDeepStrictEqual(present.labels, changes.labels) &&
    isDeepStrictEqual(present.spec, changes.spec)
  if (unchanged && !force) {
    throw new ApiError(
      'JobUnchanged',
      `no changes detected for new job spec. Job Name: '${name}', Job Id: '${present.id}'`,
      { hint: 'Use the --force flag to override this warning', component: 'JobStore' },
    )
  }
  return store.reviseJob({
    jobId: present.id,
    ...changes,
    expectedRevision: present.revision,
    deadlineAtMs: totalTimeoutMs === 0 ? null : clock() + totalTimeoutMs,
    evaluation: { trigger: 'job-update' },
    event: { message: 'Job updated', topic: 'Submission' },
  })
}
