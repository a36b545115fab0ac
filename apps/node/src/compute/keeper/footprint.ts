import { sep } from 'node:path'
import type { Census } from './census.ts'
import { KEEPER_VARIABLE, MARKER_VARIABLE, RUNNER_VARIABLE } from './marker.ts'
import { childrenOf, isLive, type ProcessEntry, readProcess } from './process-table.ts'

/** How the processes of one job are told from all others. */
export interface FootprintOptions {
  /** Tells whether a value of the marker variable is this job's. */
  readonly isMarked: (value: string) => boolean
  /** The marker of processes in which guests run, where those of a dead keeper belong to it; absent otherwise. */
  readonly runner?: string
  /** The keeper where it is dead: what it had started for itself, or had only begun to start, goes with it. */
  readonly deadKeeper?: { readonly pid: number; readonly marker: string }
  /** An orphan whose working directory lies here belongs to the job. */
  readonly workDir: string
  /** Nothing that started earlier, in clock ticks since boot, can belong to the job. */
  readonly notBefore: string
  /** A process that never counts: the keeper itself. */
  readonly exceptPid: number
}

/**
 * Knows the processes of one job, also those that left its process group and session. No single trace is
 * enough: a daemon leaves the group, a clean environment drops the marker, and an orphan loses its parent; so
 * all of them are followed, and what was once seen as a descendant stays known.
 */
export class Footprint {
  readonly #options: FootprintOptions
  readonly #known = new Map<number, string>()
  #groups = new Set<number>()

  constructor(options: FootprintOptions) {
    this.#options = options
  }

  /** Adds a process and, from the next look on, all its descendants. */
  add(pid: number): void {
    let entry: ProcessEntry | undefined
    try {
      entry = readProcess(pid)
    } catch {
      // Without descriptors. It has other traces.
    }
    if (entry !== undefined) this.#remember([entry])
  }

  /** Looks again at the known processes and their children, cheaply; returns those that live. */
  refresh(): ProcessEntry[] {
    const live: ProcessEntry[] = []
    const queue = [...this.#known.keys()]
    const seen = new Set<number>()
    // Parents first: a shell that is told to end before its child has, ends by that and not by the child's end.
    for (const pid of queue) {
      if (seen.has(pid)) continue
      seen.add(pid)
      const entry = readProcess(pid)
      const startTime = this.#known.get(pid)
      if (
        entry === undefined ||
        !isLive(entry) ||
        (startTime !== undefined && startTime !== entry.startTime)
      ) {
        this.#known.delete(pid)
        continue
      }
      live.push(entry)
      queue.push(...childrenOf(pid))
    }
    // Only groups with a live member: the number of an empty group may be given to a stranger.
    this.#groups = new Set()
    this.#remember(live)
    return live
  }

  /** Finds the processes of the job among all those of the machine. */
  find(census: Census): ProcessEntry[] {
    const candidates = census.entries.filter((entry) => this.#mayBelong(entry))
    const traced = candidates.filter((entry) => this.#hasTrace(census, entry))
    this.#remember(traced)
    const strays = candidates.filter(
      (entry) => this.#isStray(census, entry) || this.#isOfDeadKeeper(census, entry),
    )
    const found = new Map<number, ProcessEntry>()
    const queue = [...traced, ...strays]
    for (let entry = queue.pop(); entry !== undefined; entry = queue.pop()) {
      if (found.has(entry.pid)) continue
      found.set(entry.pid, entry)
      queue.push(...census.childrenOf(entry.pid).filter((child) => this.#mayBelong(child)))
    }
    return [...found.values()]
  }

  #remember(entries: readonly ProcessEntry[]): void {
    for (const entry of entries) {
      this.#known.set(entry.pid, entry.startTime)
      this.#groups.add(entry.pgid).add(entry.sid)
    }
  }

  #mayBelong(entry: ProcessEntry): boolean {
    const { exceptPid, notBefore } = this.#options
    return (
      entry.pid !== exceptPid && entry.pid !== process.pid && Number(entry.startTime) >= Number(notBefore)
    )
  }

  #hasTrace(census: Census, entry: ProcessEntry): boolean {
    if (this.#known.get(entry.pid) === entry.startTime) return true
    if (this.#groups.has(entry.pgid) || this.#groups.has(entry.sid)) return true
    const marker = census.variable(entry.pid, MARKER_VARIABLE)
    if (marker !== undefined && this.#options.isMarked(marker)) return true
    const { runner } = this.#options
    return runner !== undefined && census.variable(entry.pid, RUNNER_VARIABLE) === runner
  }

  /**
   * What a keeper starts for itself stays in its session, and has its environment. So has a process of the job before
   * it comes to its program: it has none of the traces of the job yet.
   */
  #isOfDeadKeeper(census: Census, { pid, ppid, sid, hasProgram }: ProcessEntry): boolean {
    const { deadKeeper } = this.#options
    if (deadKeeper === undefined || (hasProgram && sid !== deadKeeper.pid)) return false
    const isMarked = (one: number): boolean => census.variable(one, KEEPER_VARIABLE) === deadKeeper.marker
    // A keeper that has taken its place has such children, too.
    return isMarked(pid) && (sid === deadKeeper.pid || !isMarked(ppid))
  }

  /** Only orphans: a person who looks around in the work directory has a shell with a parent. */
  #isStray(census: Census, entry: ProcessEntry): boolean {
    if (entry.ppid !== 1) return false
    const directory = census.directory(entry.pid)
    const { workDir } = this.#options
    return directory !== undefined && (directory === workDir || directory.startsWith(workDir + sep))
  }
}
