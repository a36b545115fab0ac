import { readFileSync } from 'node:fs'
import type { ContainerInspect } from './container-state.ts'

/** After its program ended, a server may need so long to say so on a machine with much to do. */
const BELIEVED_FOR_MS = 45_000

/** Servers whose processes are seen here for certain. */
const inSight = new WeakSet<object>()

/**
 * Notices that the program of a container is gone while its server says that it runs, as it does for ever where
 * somebody has killed what looks after the container. That is believed only of a program that was seen here before, by
 * an earlier process of this node too, or where another program of the same server was seen in the control group of
 * its container: a node in a container of its own may see other processes than the server does.
 */
export class ProgramWatch {
  readonly #server: object
  #seen: number
  #goneMs: number | undefined

  /** Begins, for a container of a server, with the program that was seen before; 0 for none. */
  constructor(server: object, seen = 0) {
    this.#server = server
    this.#seen = seen
  }

  /** The program that was seen last; 0 for none. */
  get seen(): number {
    return this.#seen
  }

  /** Tells whether it has been gone for long, by what its server says now. */
  isGone({ Id: id, State: { Pid: pid } }: ContainerInspect): boolean {
    const group = pid > 0 ? controlGroupOf(pid) : undefined
    if (group !== undefined) {
      if (id !== '' && group.includes(id)) inSight.add(this.#server)
      this.#seen = pid
      this.#goneMs = undefined
      return false
    }
    if (pid === 0 || (pid !== this.#seen && !inSight.has(this.#server))) return false
    this.#goneMs ??= performance.now()
    return performance.now() - this.#goneMs > BELIEVED_FOR_MS
  }
}

/** The control groups of a process, as text; undefined where there is no such process here. */
function controlGroupOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8')
  } catch {
    return undefined
  }
}
