// Answers reads of a store that another process owns. Requests come over the channel to the parent.
import { openLmdbExecutionStore, openLmdbJobStore } from '@saltcod/store-lmdb'

const open = { jobs: openLmdbJobStore, executions: openLmdbExecutionStore }
const stores = new Map()
let nowMs = 0

process.on('message', (request) => {
  void answer(request)
})

async function answer({ id, kind, path, method, args, atMs }) {
  nowMs = atMs
  try {
    if (method === 'close') {
      await stores.get(path)?.close()
      stores.delete(path)
      process.send({ id, result: undefined })
      return
    }
    if (!stores.has(path)) stores.set(path, await open[kind]({ path, readOnly: true, clock: () => nowMs }))
    process.send({ id, result: await stores.get(path)[method](...args) })
  } catch (error) {
    const { name, code, message, details } = error
    process.send({ id, error: { name, code, message, details } })
  }
}
