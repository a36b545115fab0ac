// The same stores, with a thread that makes every commit.
import { join } from 'node:path'
import { openLmdbExecutionStore, openLmdbJobStore, openLmdbKv } from '@saltcod/store-lmdb'

const commitThread = 'always'

export const openKv = (directory, tables) =>
  openLmdbKv({ path: join(directory, 'kv.db'), tables, commitThread })

export const openJobStore = (directory) =>
  openLmdbJobStore({ path: join(directory, 'jobs.db'), commitThread })

export const openExecutionStore = (directory) =>
  openLmdbExecutionStore({ path: join(directory, 'executions.db'), commitThread })
