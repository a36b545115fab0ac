// Holds one snapshot of a store until its input ends, as nobody should.
import { readSync, writeSync } from 'node:fs'
import { STORE_TABLES } from '@saltcod/store-core/backend'
import { openLmdbKv } from '@saltcod/store-lmdb'

const kv = await openLmdbKv({ path: process.argv[2], tables: STORE_TABLES, readOnly: true })
kv.read((snapshot) => {
  snapshot.get('meta', Buffer.of(1))
  writeSync(1, 'holding\n')
  readSync(0, Buffer.alloc(1))
})
process.exit(0)
