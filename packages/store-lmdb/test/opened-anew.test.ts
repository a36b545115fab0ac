import { join } from 'node:path'
import {
  executionStoreOpenedAnew,
  executionStoreSuite,
  jobStoreOpenedAnew,
  jobStoreSuite,
} from '@saltcod/store-testing'
import { oneIn } from '../../../test/sampled-runner.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'

import { openLmdbExecutionStore, openLmdbJobStore } from '../src/index.ts'

const name = 'lmdb, opened anew before what was written is read'

jobStoreSuite({
  name,
  runner: oneIn(6),
  small: true,
  opensAnew: true,
  open: async (clock, steadyClock) => {
    const path = join(temporaryDirectory(), 'jobs.db')
    const open = () => jobStoreOpenedAnew(() => openLmdbJobStore({ path, clock, steadyClock }))
    return { store: await open(), reopen: open, dispose: async () => undefined }
  },
})

executionStoreSuite({
  name,
  runner: oneIn(6),
  small: true,
  opensAnew: true,
  open: async (clock, steadyClock) => {
    const path = join(temporaryDirectory(), 'executions.db')
    const open = () => executionStoreOpenedAnew(() => openLmdbExecutionStore({ path, clock, steadyClock }))
    return { store: await open(), reopen: open, dispose: async () => undefined }
  },
})
