import { jobStoreSuite } from '@saltcod/store-testing'
import { describe, test } from 'vitest'

import { openMemoryJobStore } from '../src/index.ts'

jobStoreSuite({
  name: 'memory',
  runner: { describe, test },
  open: async (clock, steadyClock) => ({
    store: await openMemoryJobStore({ clock, steadyClock }),
    dispose: async () => undefined,
  }),
})
