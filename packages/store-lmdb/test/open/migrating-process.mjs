// Opens a job store and is killed before or after one of its writes: node migrating-process.mjs STORE NUMBER
// before|after.
import { openJobStore, STORE_TABLES } from '@saltcod/store-core/backend'
import { openLmdbKv } from '@saltcod/store-lmdb'

const [path, number, when] = process.argv.slice(2)
const kv = await openLmdbKv({ path, tables: STORE_TABLES })
const die = () => process.kill(process.pid, 'SIGKILL')
let writes = 0
const dying = new Proxy(kv, {
  get(target, name) {
    const value = Reflect.get(target, name, target)
    if (name !== 'write') return typeof value === 'function' ? value.bind(target) : value
    return async (...args) => {
      writes += 1
      const isLast = writes === Number(number)
      if (isLast && when === 'before') die()
      const result = await target.write(...args)
      if (isLast) die()
      return result
    }
  },
})
const store = await openJobStore(dying, { clock: Date.now })
await store.close()
