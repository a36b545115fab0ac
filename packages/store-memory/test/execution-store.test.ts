import { executionStoreSuite } from '@saltcod/store-testing'
import { describe, test } from 'vitest'

import { openMemoryExecutionStore } from '../src/index.ts'

executionStoreSuite({
  name: 'memory',
  runner: { describe, test },
  open: async (clock, steadyClock) => ({
    store: await openMemoryExecutionStore({ clock, steadyClock }),
    dispose: async () => undefined,
  }),
})
