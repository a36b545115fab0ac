import { closeSync, constants, openSync, readdirSync } from 'node:fs'
import { type ProcessUse, processUse } from './process-table.ts'

const FIRST = '1'

/**
 * The `/proc` of a PID namespace, which lists the processes in it and no others, also those that have lost their parents.
 * It is opened before a job is in there, so nothing that a job puts in its place is looked at.
 */
export class ProcView {
  readonly #directory: number
  #closed = false

  /** Opens it by the first process of the namespace; throws where that is not allowed. */
  constructor(initPid: number) {
    this.#directory = openSync(`/proc/${initPid}/root/proc`, constants.O_RDONLY | constants.O_DIRECTORY)
  }

  /** Tells whether its first process is alone; false where that cannot be seen. */
  isEmpty(): boolean {
    if (this.#closed) return false
    const pids = readdirSync(`/proc/self/fd/${this.#directory}`).filter((name) => /^\d+$/.test(name))
    return pids.length === 1 && pids[0] === FIRST
  }

  /** What the live processes in it take, but for the first; none once it is closed. */
  uses(): ProcessUse[] {
    if (this.#closed) return []
    const place = `/proc/self/fd/${this.#directory}`
    return readdirSync(place)
      .filter((name) => /^\d+$/.test(name) && name !== FIRST)
      .map((name) => processUse(`${place}/${name}`))
      .filter((use) => use !== undefined)
  }

  close(): void {
    if (!this.#closed) closeSync(this.#directory)
    this.#closed = true
  }
}
