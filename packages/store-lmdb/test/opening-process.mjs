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
}
