// Opens a store for reading and closes it, again and again, until its input ends.
import { openLmdbKv } from '@saltcod/store-lmdb'

const [path] = process.argv.slice(2)
let running = true
process.stdin.resume()
process.stdin.on('end', () => {
  running = false
})
let openings = 0
while (running) {
  const store = await openLmdbKv({ path, tables: ['alpha'], readOnly: true })
  await store.close()
  openings += 1
  process.stdout.write(`opened ${openings}\n`)
  // An opening may come without a turn of the event loop, in which the end of the input is noticed.
  await new Promise((resolve) => setImmediate(resolve))
}
