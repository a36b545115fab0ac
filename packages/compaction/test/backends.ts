import { join } from 'node:path'
import { type KvStore, STORE_TABLES } from '@saltcod/store-core/backend'
import { openLmdbKv } from '@saltcod/store-lmdb'
import { openMemoryKv } from '@saltcod/store-memory'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'

/** Every backend, as it opens an empty one. */
export const BACKENDS: readonly (readonly [name: string, open: () => Promise<KvStore>])[] = [
  ['memory', async () => openMemoryKv({ tables: STORE_TABLES })],
  ['lmdb', () => openLmdbKv({ path: join(temporaryDirectory(), 'jobs.lmdb'), tables: STORE_TABLES })],
]
