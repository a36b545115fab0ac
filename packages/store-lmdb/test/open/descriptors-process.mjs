// A process for the tests that has as many files open as it may. Its argument is the path of a store.
import { closeSync, openSync } from 'node:fs'
import { openLmdbKv } from '@saltcod/store-lmdb'

const [path] = process.argv.slice(2)
const options = { path, tables: ['alpha', 'beta'] }
const say = (text) => process.stdout.write(`${text}\n`)

// Takes every descriptor that is free, as connections do that come all the time.
const taken = []
const take = () => {
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'))
  } catch (error) {
    if (error.code !== 'EMFILE') throw error
  }
}
const giveBack = () => {
  for (const file of taken.splice(0)) closeSync(file)
}

const attempt = async (what, body) => {
  take()
  const taking = setInterval(take)
  const takingTurns = { on: true }
  const turn = () => {
    if (!takingTurns.on) return
    take()
    setImmediate(turn)
  }
  turn()
  try {
    await body()
    say(`${what} done`)
  } catch (error) {
    say(`${what} ${error.name} ${error.code}`)
  } finally {
    clearInterval(taking)
    takingTurns.on = false
  }
}

const put = (store, id) =>
  store.write((transaction) => transaction.put('alpha', Buffer.from(String(id)), Buffer.alloc(1_000)))

await attempt('create', () => openLmdbKv(options))
giveBack()
const first = await openLmdbKv(options)
for (let id = 0; id < 500; id += 1) await put(first, id)
await attempt('rewrite', () => first.capabilities.rewrite())
await attempt('again', () => first.capabilities.rewrite())
await attempt('write', () => put(first, 'more'))
await attempt('backup', () => first.capabilities.backup(`${path}.copy`))
// In the end there are too few for one more.
for (let round = 0; round < 20; round += 1) await attempt('rewrites', () => first.capabilities.rewrite())
await attempt('write', () => put(first, 'still more'))
giveBack()
await first.capabilities.rewrite()
say('recovered')
await attempt('close', () => first.close())
await attempt('open', () => openLmdbKv(options))
await attempt('read', () => openLmdbKv({ ...options, readOnly: true }))
giveBack()
const second = await openLmdbKv(options)
say(`rows ${second.read((snapshot) => snapshot.keys('alpha', { limit: 10_000 })).length}`)
await second.close()
