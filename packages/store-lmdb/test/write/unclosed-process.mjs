// A process for the tests that writes one row into the store at the path that it is given, and leaves it open.
import { openLmdbKv } from '@saltcod/store-lmdb'

const store = await openLmdbKv({ path: process.argv[2], tables: ['alpha'], commitThread: 'always' })
await store.write((transaction) => transaction.put('alpha', Buffer.from('key'), Buffer.alloc(1_000)))
process.stdout.write('written\n')
