import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type KvStore, STORE_TABLES } from '@saltcod/store-core/backend'
import { openLmdbKv } from '@saltcod/store-lmdb'
import { openMemoryKv } from '@saltcod/store-memory'
import { onTestFinished } from 'vitest'

/** Makes a directory that is removed when the test is over. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'compaction-'))
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true })
  })
  return directory
}

/** Every backend, as it opens an empty one. */
export const BACKENDS: readonly (readonly [name: string, open: () => Promise<KvStore>])[] = [
  ['memory', async () => openMemoryKv({ tables: STORE_TABLES })],
  ['lmdb', () => openLmdbKv({ path: join(temporaryDirectory(), 'jobs.lmdb'), tables: STORE_TABLES })],
]
