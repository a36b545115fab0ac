import { join } from 'node:path'
import { jobStoreSuite } from '@saltcod/store-testing'
import { describe, test } from 'vitest'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'

import { openLmdbJobStore } from '../src/index.ts'

jobStoreSuite({
  name: 'lmdb',
  runner: { describe, test },
  open: async (clock, steadyClock) => {
    const options = { path: join(temporaryDirectory(), 'jobs.db'), clock, steadyClock }
    return {
      store: await openLmdbJobStore(options),
      reopen: () => openLmdbJobStore(options),
      openReader: () => openLmdbJobStore({ ...options, readOnly: true }),
      dispose: async () => undefined,
    }
  },
})
