/** Gives each call a transaction of its own: the loop is held up until it is on disk. */
export class TransactionEach {
  #run

  constructor(database) {
    this.#run = database.transaction((body) => body()).immediate
  }

  /** Carries out a body; returns its result once that is on disk. */
  write(body) {
    return this.#run(body)
  }
}

/** Lets all callers that wait share one transaction, which begins in the turn of the event loop behind their calls. */
export class SharedTransaction {
  #run
  #waiting = []

  constructor(database) {
    this.#run = database.transaction((requests) => requests.map(({ body }) => body())).immediate
  }

  /** Carries out a body; resolves with its result once that is on disk. A body that throws fails all of its group. */
  write(body) {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#commit())
      this.#waiting.push({ body, resolve, reject })
    })
  }

  #commit() {
    const requests = this.#waiting
    this.#waiting = []
    try {
      for (const [index, result] of this.#run(requests).entries()) requests[index].resolve(result)
    } catch (error) {
      for (const { reject } of requests) reject(error)
    }
  }
}
