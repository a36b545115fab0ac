// The stores of this package, for the suite that crashes them and the processes that it starts.
import { join } from 'node:path'
import { openLmdbExecutionStore, openLmdbJobStore, openLmdbKv } from '@saltcod/store-lmdb'

export const openKv = (directory, tables) => openLmdbKv({ path: join(directory, 'kv.db'), tables })

export const openJobStore = (directory) => openLmdbJobStore({ path: join(directory, 'jobs.db') })

export const openExecutionStore = (directory) =>
  openLmdbExecutionStore({ path: join(directory, 'executions.db') })
