import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import type { DurableStore } from '@saltcod/store-core'
import { type Clock, EXECUTION_STORE_OPERATIONS, JOB_STORE_OPERATIONS } from '@saltcod/store-core/backend'

const SCRIPT = fileURLToPath(new URL('./reader-process.mjs', import.meta.url))

const OPERATIONS = new Map(Object.entries({ ...EXECUTION_STORE_OPERATIONS, ...JOB_STORE_OPERATIONS }))

interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: Readonly<Record<string, unknown>>
}

/** Whether a method of a store changes nothing and answers with plain data of this moment. */
function isRead(method: string): boolean {
  // What a store says of itself is about its own opening.
  return OPERATIONS.get(method) === 'read' && method !== 'info'
}

/** A second process that reads stores which this process owns. */
export class ReaderProcess {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #asked = 0

  constructor() {
    this.#child = fork(SCRIPT, { serialization: 'advanced', execArgv: [] })
    this.#child.on('message', (answer: Answer) => {
      this.#waiting.get(answer.id)?.(answer)
      this.#waiting.delete(answer.id)
    })
    this.#child.on('exit', (code, signal) => {
      const error = { name: 'Error', message: `the reading process ended with ${signal ?? String(code)}` }
      for (const [id, answer] of this.#waiting) answer({ id, error })
      this.#waiting.clear()
    })
  }

  /** Returns a store that writes through the owner and reads through this process. */
  readFor<Store extends DurableStore>(
    owner: Store,
    kind: 'jobs' | 'executions',
    path: string,
    clock: Clock,
  ): Store {
    const ask = (method: string, args: readonly unknown[]) =>
      this.#ask({ kind, path, method, args, atMs: clock() })
    let closed = false
    return new Proxy(owner, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property)
        if (typeof property !== 'string' || typeof value !== 'function') return value
        if (property === 'close') {
          return async () => {
            if (!closed) await ask('close', [])
            closed = true
            await target.close()
          }
        }
        if (isRead(property) && !closed) return (...args: unknown[]) => ask(property, args)
        return value.bind(target) as unknown
      },
    })
  }

  /** Ends the process. */
  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.disconnect()
    await ended
  }

  async #ask(request: Readonly<Record<string, unknown>>): Promise<unknown> {
    this.#asked += 1
    const id = this.#asked
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve)
      if (this.#child.connected) this.#child.send({ id, ...request })
      else resolve({ id, error: { name: 'Error', message: 'the reading process has ended' } })
    })
    if (answer.error !== undefined)
      throw Object.assign(new Error(String(answer.error['message'])), answer.error)
    return answer.result
  }
}
