// A process for the tests that opens files in every way that there is. Its argument is the path of a store.
import { openLmdbKv } from '@saltcod/store-lmdb'

const [path] = process.argv.slice(2)
const options = { path, tables: ['alpha', 'beta'] }
const say = (text) => process.stdout.write(`${text}\n`)
let next = 0

const attempt = async (what, body) => {
  try {
    const result = await body()
    say(`${what} done`)
    return result
  } catch (error) {
    say(`${what} ${error.name} ${error.code} ${error.message}`)
    return undefined
  }
}

const put = async (store) => {
  const id = next
  next += 1
  await store.write((transaction) => transaction.put('alpha', Buffer.from(String(id)), Buffer.alloc(1_000)))
  say(`kept ${id}`)
}

for (let round = 0; round < 2; round += 1) {
  const store = await attempt('open', () => openLmdbKv(options))
  if (store === undefined) continue
  await attempt('write', () => put(store))
  await attempt('rewrite', () => store.capabilities.rewrite())
  await attempt('write', () => put(store))
  const reader = await attempt('read', () => openLmdbKv({ ...options, readOnly: true }))
  await attempt('backup', () => store.capabilities.backup(`${path}.copy-${round}`))
  await attempt('close', async () => reader?.close())
  await attempt('close', () => store.close())
  const alone = await attempt('read', () => openLmdbKv({ ...options, readOnly: true }))
  await attempt('close', async () => alone?.close())
}
say('end')
