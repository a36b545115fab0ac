import type { JobSpec } from '@saltcod/bacalhau-records'
import { Failure } from '@saltcod/cli-kit'
import type { Config, StoreLocation } from '@saltcod/config'
import type { ExecutionStore, JobStore, StoreErrorCode } from '@saltcod/store-core'
import { isStoreError } from '@saltcod/store-core'
import { openLmdbExecutionStore, openLmdbJobStore, probeLmdbStore } from '@saltcod/store-lmdb'
import { openMemoryExecutionStore, openMemoryJobStore } from '@saltcod/store-memory'
import type { Logger } from 'pino'
import { EXIT } from './exit-code.ts'
import { hintWithCommand } from './inspector-command.ts'

/** What opening a store needs besides its place. */
export interface StoreOpening {
  readonly nodeId: string
  readonly quota: Config['quota']
  readonly log: Logger
}

/** Opens the requester's store. Throws a `Failure` that says in one line what is wrong. */
export async function openJobs(location: StoreLocation, opening: StoreOpening): Promise<JobStore<JobSpec>> {
  return refusing(location, async () => {
    if (location.type === 'memory') return openMemoryJobStore<JobSpec>({ nodeId: opening.nodeId })
    return openLmdbJobStore<JobSpec>(lmdbOptions(location.path, opening))
  })
}

/** Opens the compute node's store. Throws a `Failure` that says in one line what is wrong. */
export async function openExecutions(
  location: StoreLocation,
  opening: StoreOpening,
): Promise<ExecutionStore> {
  return refusing(location, async () => {
    if (location.type === 'memory') return openMemoryExecutionStore({ nodeId: opening.nodeId })
    return openLmdbExecutionStore(lmdbOptions(location.path, opening))
  })
}

/**
 * Looks at the files of stores before the first of them is opened, so that nothing is written where one is bad.
 * Throws a `Failure` that says in one line what is wrong.
 */
export function refuseBadFiles(locations: readonly StoreLocation[]): void {
  for (const location of locations) {
    if (location.type !== 'lmdb') continue
    try {
      probeLmdbStore(location.path)
    } catch (error) {
      throw refusalOf(location, error)
    }
  }
}

function lmdbOptions(path: string, { nodeId, quota, log }: StoreOpening) {
  return {
    path,
    nodeId,
    maxSpecBytes: storedSpecBytes(quota.specBytes),
    // Of many callers at once, as a node has, all are answered sooner.
    commitThread: 'auto' as const,
    ...(quota.storeBytes === 0 ? {} : { quotaBytes: quota.storeBytes }),
    onNotice: (notice: { readonly code: string; readonly message: string }) => {
      log.warn({ code: notice.code, path }, notice.message)
    },
  }
}

/** A specification grows a little when what was left out is filled in. */
function storedSpecBytes(specBytes: number): number {
  return specBytes + 64 * 1024
}

async function refusing<T>(location: StoreLocation, open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (error) {
    throw refusalOf(location, error)
  }
}

function refusalOf(location: StoreLocation, error: unknown): unknown {
  if (!isStoreError(error)) return error
  const path = location.type === 'lmdb' ? location.path : 'in memory'
  const named = error.message.includes(path) ? error.message : `${path}: ${error.message}`
  return new Failure(exitCodeOf(error.code), `cannot open the store: ${named}`, {
    hint: hintWithCommand(error, path),
    cause: error,
  })
}

/** Where somebody has to look, a supervisor must not try again by itself. */
function exitCodeOf(code: StoreErrorCode): number {
  if (code === 'STORE_BUSY') return EXIT.failed
  return code === 'STORE_FAILED' ? EXIT.storeFailed : EXIT.usage
}
