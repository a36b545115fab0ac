import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { KV_SUITE_TABLES, kvSuite } from '@saltcod/store-testing'
import { describe, test } from 'vitest'

import { openLmdbKv } from '../src/index.ts'

kvSuite({
  name: 'lmdb',
  runner: { describe, test },
  open: async () => {
    const directory = mkdtempSync(join(tmpdir(), 'store-lmdb-'))
    const path = join(directory, 'kv.db')
    return {
      kv: await openLmdbKv({ path, tables: KV_SUITE_TABLES }),
      openReadOnly: () => openLmdbKv({ path, tables: KV_SUITE_TABLES, readOnly: true }),
      backupPath: join(directory, 'backup.db'),
      openBackup: () => openLmdbKv({ path: join(directory, 'backup.db'), tables: KV_SUITE_TABLES }),
      reopen: () => openLmdbKv({ path, tables: KV_SUITE_TABLES }),
      dispose: async () => {
        rmSync(directory, { recursive: true, force: true })
      },
    }
  },
})
