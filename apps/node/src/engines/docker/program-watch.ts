import { existsSync } from 'node:fs'
import type { ContainerInspect } from './container-state.ts'

/** After its program ended, a server may need so long to say so on a machine with much to do. */
const BELIEVED_FOR_MS = 45_000

/**
 * Notices that the program of a container is gone while its server says that it runs, as it does for ever where
 * somebody has killed what looks after the container. That is believed only of a program that was seen here before, by
 * an earlier process of this node too: a node in a container of its own may see other processes than the server does.
 */
export class ProgramWatch {
  #seen: number
  #goneMs: number | undefined

  /** Begins with the program that was seen before; 0 for none. */
  constructor(seen = 0) {
    this.#seen = seen
  }

  /** The program that was seen last; 0 for none. */
  get seen(): number {
    return this.#seen
  }

  /** Tells whether it has been gone for long, by what its server says now. */
  isGone({ State: { Pid: pid } }: ContainerInspect): boolean {
    if (pid > 0 && existsSync(`/proc/${pid}`)) {
      this.#seen = pid
      this.#goneMs = undefined
      return false
    }
    if (pid === 0 || pid !== this.#seen) return false
    this.#goneMs ??= performance.now()
    return performance.now() - this.#goneMs > BELIEVED_FOR_MS
  }
}
