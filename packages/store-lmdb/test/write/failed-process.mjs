// A process for the tests with a disk that fails. Its arguments are the path of a store and the file that names the
// call that fails.
import { rmSync, writeFileSync } from 'node:fs'
import { openLmdbKv } from '@saltcod/store-lmdb'

const [path, trigger] = process.argv.slice(2)
const say = (text) => process.stdout.write(`${text}\n`)
const options = { path, tables: ['alpha'], commitThread: process.env.COMMIT_THREAD }
const writer = await openLmdbKv(options)
const reader = await openLmdbKv({ ...options, readOnly: true })
const stores = { writer, reader }

const put = () =>
  writer.write((transaction) => transaction.put('alpha', Buffer.from('key'), Buffer.alloc(1_000)))
const attempt = async (what, body) => {
  try {
    await body()
    say(`${what} done`)
  } catch (error) {
    say(`${what} ${error.name} ${error.code}`)
  }
}

await put()
writeFileSync(trigger, 'pwrite')
await attempt('rewrite', () => writer.capabilities.rewrite())
rmSync(trigger)
await attempt('write', put)
await attempt('rewrite', () => writer.capabilities.rewrite())
writeFileSync(trigger, 'meta')
await attempt('write', put)
for (const [name, store] of Object.entries(stores)) {
  await attempt(`${name} read`, () => store.read((snapshot) => snapshot.keys('alpha', { limit: 3 })))
  await attempt(`${name} statistics`, () => store.capabilities.statistics())
  await attempt(`${name} backup`, () => store.capabilities.backup(`${path}.copy`))
}
await attempt('rewrite', () => writer.capabilities.rewrite())
rmSync(trigger)
await reader.close()
await writer.close()
