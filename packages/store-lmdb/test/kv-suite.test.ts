import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { KV_SUITE_TABLES, kvSuite } from '@saltcod/store-testing'
import { oneIn } from '../../../test/sampled-runner.ts'
import { testSeed } from '../../../test/seed.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { openLmdbKv } from '../src/index.ts'

const PAGE_BYTES = 4_096
const FLAGS_OFFSET = 18
const LEAF = 2

/** Takes from the pages with rows of the suite what they are, as LMDB sees it. */
function breakLeaves(path: string): void {
  const bytes = readFileSync(path)
  const row = Buffer.alloc(200, 7)
  const file = openSync(path, 'r+')
  for (let at = 2 * PAGE_BYTES; at < bytes.length; at += PAGE_BYTES) {
    const isLeaf = bytes.readUInt16LE(at + FLAGS_OFFSET) === LEAF
    if (isLeaf && bytes.subarray(at, at + PAGE_BYTES).includes(row))
      writeSync(file, Buffer.alloc(2), 0, 2, at + FLAGS_OFFSET)
  }
  closeSync(file)
}

const USES = ['never', 'always'] as const

for (const commitThread of USES)
  kvSuite({
    name: `lmdb, a thread for commits: ${commitThread}`,
    runner: oneIn(commitThread === 'never' ? 1 : 3),
    seed: testSeed(),
    open: async () => {
      const directory = temporaryDirectory()
      const path = join(directory, 'kv.db')
      const kv = await openLmdbKv({ path, tables: KV_SUITE_TABLES, commitThread })
      return {
        kv,
        openSmall: () =>
          openLmdbKv({
            path: join(directory, 'small.db'),
            tables: KV_SUITE_TABLES,
            quotaBytes: 24 * 1024 * 1024,
            commitThread,
          }),
        damage: async () => {
          breakLeaves(path)
          return kv
        },
        openReadOnly: () => openLmdbKv({ path, tables: KV_SUITE_TABLES, readOnly: true }),
        backupPath: join(directory, 'backup.db'),
        openBackup: () => openLmdbKv({ path: join(directory, 'backup.db'), tables: KV_SUITE_TABLES }),
        reopen: () => openLmdbKv({ path, tables: KV_SUITE_TABLES, commitThread }),
        dispose: async () => undefined,
      }
    },
  })
