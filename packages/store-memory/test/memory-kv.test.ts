import { KV_SUITE_TABLES, kvSuite } from '@saltcod/store-core/testing'
import { describe, test } from 'vitest'

import { openMemoryKv } from '../src/index.ts'

kvSuite({
  name: 'memory',
  runner: { describe, test },
  open: async () => ({ kv: openMemoryKv({ tables: KV_SUITE_TABLES }), dispose: async () => undefined }),
})
