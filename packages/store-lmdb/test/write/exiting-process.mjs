// Writes with eight callers, and exits with 74 so many milliseconds after that: node exiting-process.mjs PATH MS
import { openLmdbKv } from '@saltcod/store-lmdb'

const [path, ms] = process.argv.slice(2)
const store = await openLmdbKv({ path, tables: ['alpha'], commitThread: 'auto' })
let next = 0
const caller = async () => {
  for (;;) {
    next += 1
    const key = Buffer.from(String(next))
    await store.write((transaction) => transaction.put('alpha', key, Buffer.alloc(100)))
  }
}
for (let count = 0; count < 8; count += 1) void caller()
setTimeout(() => process.exit(74), Number(ms))
