import { join } from 'node:path'
import { executionStoreSuite } from '@saltcod/store-testing'
import { describe, test } from 'vitest'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'

import { openLmdbExecutionStore } from '../src/index.ts'

executionStoreSuite({
  name: 'lmdb',
  runner: { describe, test },
  open: async (clock, steadyClock) => {
    const options = { path: join(temporaryDirectory(), 'executions.db'), clock, steadyClock }
    return {
      store: await openLmdbExecutionStore(options),
      reopen: () => openLmdbExecutionStore(options),
      openReader: () => openLmdbExecutionStore({ ...options, readOnly: true }),
      dispose: async () => undefined,
    }
  },
})
