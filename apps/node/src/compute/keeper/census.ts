import { setTimeout as delay } from 'node:timers/promises'
import { environmentValue, listProcesses, type ProcessEntry, workingDirectory } from './process-table.ts'

const SHORTEST_PAUSE_MS = 1_000
/** Looks that nobody waits for may take this share of the time. */
const LOOK_SHARE = 50

/** All processes of the machine at one moment; what they were started with is read once, when it is asked for. */
export class Census {
  readonly entries: readonly ProcessEntry[]
  readonly #variables = new Map<string, string | undefined>()
  readonly #directories = new Map<number, string | undefined>()
  #children: Map<number, ProcessEntry[]> | undefined

  constructor() {
    this.entries = listProcesses()
  }

  /** The value of a variable in the environment of a process; undefined when not readable. */
  variable(pid: number, name: string): string | undefined {
    const key = `${pid} ${name}`
    if (!this.#variables.has(key)) this.#variables.set(key, environmentValue(pid, name))
    return this.#variables.get(key)
  }

  /** The working directory of a process; undefined when not readable. */
  directory(pid: number): string | undefined {
    if (!this.#directories.has(pid)) this.#directories.set(pid, workingDirectory(pid))
    return this.#directories.get(pid)
  }

  /** The processes whose parent has this pid. */
  childrenOf(pid: number): readonly ProcessEntry[] {
    this.#children ??= byParent(this.entries)
    return this.#children.get(pid) ?? []
  }
}

function byParent(entries: readonly ProcessEntry[]): Map<number, ProcessEntry[]> {
  const children = new Map<number, ProcessEntry[]>()
  for (const entry of entries) {
    const siblings = children.get(entry.ppid)
    if (siblings === undefined) children.set(entry.ppid, [entry])
    else siblings.push(entry)
  }
  return children
}

/** Looks at all processes of the machine on behalf of all runs, so that many of them cost one look. */
export class Lookout {
  #recent: Census | undefined
  #nextAtMs = 0
  #coming: Promise<Census> | undefined

  /** A look that may be a second old, or older on a machine where looks take long. */
  recent(): Census {
    const startedAtMs = performance.now()
    if (this.#recent !== undefined && startedAtMs < this.#nextAtMs) return this.#recent
    const census = new Census()
    const tookMs = performance.now() - startedAtMs
    this.#nextAtMs = startedAtMs + Math.max(SHORTEST_PAUSE_MS, tookMs * LOOK_SHARE)
    this.#recent = census
    return census
  }

  /** A look that begins after this call; all that ask before it begins share it. */
  async next(): Promise<Census> {
    this.#coming ??= this.#later()
    return await this.#coming
  }

  async #later(): Promise<Census> {
    await delay(1)
    this.#coming = undefined
    return new Census()
  }
}
