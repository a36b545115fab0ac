import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLmdbExecutionStore, openLmdbJobStore } from '@saltcod/store-lmdb'

/** Where the stores of the node of a repository lie. */
export function storePaths(repository: string): { readonly jobs: string; readonly executions: string } {
  const nodeId = readFileSync(join(repository, 'node-id'), 'utf8').trim()
  return {
    jobs: join(repository, `${nodeId}-requester`, 'jobs.db'),
    executions: join(repository, `${nodeId}-compute`, 'executions.db'),
  }
}

/** Reads both stores of a repository whole, beside their owner or without one, and fails on any finding. */
export async function checkStores(repository: string): Promise<void> {
  const paths = storePaths(repository)
  const stores = [
    await openLmdbJobStore({ path: paths.jobs, readOnly: true }),
    await openLmdbExecutionStore({ path: paths.executions, readOnly: true }),
  ]
  for (const store of stores) {
    try {
      const { findings } = await store.check()
      assert.deepEqual(findings, [])
    } finally {
      await store.close()
    }
  }
}
