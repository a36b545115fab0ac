import { closeSync, constants, openSync, readdirSync } from 'node:fs'
import { type ProcessUse, processUse } from './process-table.ts'

const FIRST = '1'

/**
 * The `/proc` of a PID namespace, which lists the processes in it and no others, also those that have lost their
 * parents. It is opened before a job is in there, so nothing that a job puts in its place is looked at.
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
    const pids = this.#pids()
    return pids.length === 1 && pids[0] === FIRST
  }

  /** What the live processes in it take, but for the first; none once it is closed. */
  uses(): ProcessUse[] {
    return this.#pids()
      .filter((name) => name !== FIRST)
      .map((name) => processUse(`${this.#place}/${name}`))
      .filter((use) => use !== undefined)
  }

  get #place(): string {
    return `/proc/self/fd/${this.#directory}`
  }

  #pids(): string[] {
    return this.#closed ? [] : readdirSync(this.#place).filter((name) => /^\d+$/.test(name))
  }

  close(): void {
    if (!this.#closed) closeSync(this.#directory)
    this.#closed = true
  }
}
