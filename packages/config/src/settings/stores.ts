import { expandOptionalPath } from '../paths.ts'
import { setting } from '../setting.ts'
import { choice, path } from '../value.ts'

const STORE_TYPE_WORDS = ['lmdb', 'memory', 'inmemory', 'boltdb'] as const

/** A kind of store as configured; `boltdb` means `lmdb` wherever no BoltDB file is in the way. */
export type StoreType = 'lmdb' | 'memory' | 'boltdb'

const storeType = choice(STORE_TYPE_WORDS).transform((word): StoreType => {
  return word === 'inmemory' ? 'memory' : word
})

const typeMeaning =
  'lmdb (durable), memory (forgotten at a restart; also: inmemory), or boltdb (means lmdb where no BoltDB file lies at the path)'

/**
 * The two stores, each with its kind and the absolute path of its file; absent means the default, which depends on the
 * node id.
 */
export const stores = {
  executionStore: {
    type: setting({
      key: 'Node.Compute.ExecutionStore.Type',
      description: `The kind of store for executions: ${typeMeaning}.`,
      form: 'choice',
      flag: '--compute-execution-store-type',
      environment: 'BACALHAU_COMPUTE_STORE_TYPE',
      fallback: 'lmdb',
      schema: storeType,
    }),
    path: setting<string | undefined>({
      key: 'Node.Compute.ExecutionStore.Path',
      description: 'The file of the execution store.',
      form: 'path',
      flag: '--compute-execution-store-path',
      environment: 'BACALHAU_COMPUTE_STORE_PATH',
      fallback: undefined,
      fallbackNote: '<repo>/<node-id>-compute/executions.db',
      schema: path(),
      locate: expandOptionalPath,
    }),
  },
  jobStore: {
    type: setting({
      key: 'Node.Requester.JobStore.Type',
      description: `The kind of store for jobs: ${typeMeaning}.`,
      form: 'choice',
      flag: '--requester-job-store-type',
      environment: 'BACALHAU_JOB_STORE_TYPE',
      fallback: 'lmdb',
      schema: storeType,
    }),
    path: setting<string | undefined>({
      key: 'Node.Requester.JobStore.Path',
      description: 'The file of the job store.',
      form: 'path',
      flag: '--requester-job-store-path',
      environment: 'BACALHAU_JOB_STORE_PATH',
      fallback: undefined,
      fallbackNote: '<repo>/<node-id>-requester/jobs.db',
      schema: path(),
      locate: expandOptionalPath,
    }),
  },
}
