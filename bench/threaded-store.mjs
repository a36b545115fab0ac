import { Worker } from 'node:worker_threads'

/** A store of jobs in a thread of its own, which is asked by messages. */
export class ThreadedStore {
  #worker
  #waiting = new Map()
  #lastId = 0

  constructor(worker) {
    this.#worker = worker
    worker.on('message', ({ id, result, error }) => {
      const { resolve, reject } = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === undefined) resolve(result)
      else reject(error)
    })
  }

  /** Resolves with the store of a path once it is open. */
  static async open(path) {
    const worker = new Worker(new URL('./store-thread.mjs', import.meta.url), { workerData: { path } })
    const store = new ThreadedStore(worker)
    await new Promise((resolve, reject) => {
      store.#waiting.set(0, { resolve, reject })
    })
    return store
  }

  submitJob(request) {
    return this.#ask('submitJob', [request])
  }

  getJob(id) {
    return this.#ask('getJob', [id])
  }

  close() {
    return this.#ask('close', [])
  }

  #ask(method, args) {
    this.#lastId += 1
    const id = this.#lastId
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#worker.postMessage({ id, method, args })
    })
  }
}
