import { parentPort, workerData } from 'node:worker_threads'
import { openLmdbJobStore } from '@saltcod/store-lmdb'

// A whole store in a thread: calls of its methods come as messages, and so do their answers.

const store = await openLmdbJobStore({ path: workerData.path })
parentPort.on('message', (call) => void answer(call))
parentPort.postMessage({ id: 0 })

async function answer({ id, method, args }) {
  try {
    parentPort.postMessage({ id, result: await store[method](...args) })
  } catch (error) {
    parentPort.postMessage({ id, error })
  }
  if (method === 'close') parentPort.close()
}
