import { isDeepStrictEqual } from 'node:util'
import type { Submitted } from '@saltcod/store-core'
import { isStoreError } from '@saltcod/store-core'
import type { JobSpec } from '../../spec/job-spec.ts'
import { ApiError } from '../../wire/api-error.ts'
import type { SubmittedJob } from '../../wire/job-input.ts'
import type { RequesterContext } from '../context.ts'

/** Stores a job that was submitted. One whose name is taken is a new version of the job with that name. */
export async function submit(
  context: RequesterContext,
  input: SubmittedJob,
  submitKey: string | null,
): Promise<Submitted<JobSpec>> {
  const { store, clock } = context
  const { definition, id, namespace, name, totalTimeoutMs } = input
  try {
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
  } catch (error) {
    if (name === null || submitKey !== null || !isStoreError(error, 'JOB_NAME_TAKEN')) throw error
    return update(context, input, name)
  }
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
