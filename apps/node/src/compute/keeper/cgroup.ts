import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isGone, writeGroupFile } from './group-file.ts'

const PATIENCE_MS = 10_000
const LONGEST_PAUSE_MS = 20
/** To the kernel, the process that writes it. */
const SELF = '0'
const WEIGHT_OF_A_PROCESSOR = 100
const MOST_WEIGHT = 10_000

/** What the kernel is to hold a group to. */
export interface GroupBounds {
  readonly memoryBytes: number | null
  /** Processes and threads. */
  readonly tasks: number
  /** Its share where processors are short, in processors; null for that of one. */
  readonly cpus: number | null
}

/** A cgroup (v2) for the processes of one job: what they start is in it, too, and all of them can be ended at once. */
export class Cgroup {
  readonly path: string
  readonly #home: number

  /** `home` is the open `cgroup.procs` of the group that this process lives in. Nothing is made yet. */
  constructor(path: string, home: number) {
    this.path = path
    this.#home = home
  }

  /** Makes it; throws where the machine refuses, or there is one of that name. */
  make(): void {
    mkdirSync(this.path)
    // What a job puts into a group of its own below would not be seen.
    this.#set('cgroup.max.descendants', 0)
  }

  /**
   * Starts a process in it, before any code of that has run: this process goes in, starts it, and comes back, which
   * takes neither another process nor the shell that could move itself. Throws as `start` does, and where the group is
   * gone.
   */
  bear<T>(start: () => T): T {
    writeGroupFile(this.path, 'cgroup.procs', SELF)
    try {
      return start()
    } finally {
      writeSync(this.#home, SELF)
    }
  }

  /**
   * Has the kernel hold it to what there are controllers for. Only once this process is out of it: it counts as long
   * as it is inside.
   */
  bound({ memoryBytes, tasks, cpus }: GroupBounds): void {
    if (memoryBytes !== null) {
      this.#set('memory.swap.max', 0)
      this.#set('memory.oom.group', 1)
      this.#set('memory.max', memoryBytes)
    }
    this.#set('pids.max', tasks)
    if (cpus === null) return
    const weight = Math.round(cpus * WEIGHT_OF_A_PROCESSOR)
    this.#set('cpu.weight', Math.min(Math.max(weight, 1), MOST_WEIGHT))
  }

  /** The pids of the processes in it. Throws where there are no descriptors to look with. */
  pids(): number[] {
    return pidsIn(this.path)
  }

  /** Kills all in it at once, without waiting; throws where that cannot be asked for. */
  kill(): void {
    killGroup(this.path)
  }

  /**
   * Tells for what the kernel has killed something in it: more memory than its own bound, or than the machine has;
   * undefined where it has not.
   */
  get outOfMemory(): 'bound' | 'machine' | undefined {
    let events: string
    try {
      events = readFileSync(join(this.path, 'memory.events'), 'utf8')
    } catch {
      return undefined
    }
    const has = (name: string): boolean => new RegExp(`^${name} [1-9]`, 'm').test(events)
    if (!has('oom_kill')) return undefined
    return has('oom') ? 'bound' : 'machine'
  }

  /** Kills all in it, and removes it; resolves to the pids of those that cannot be killed. */
  async end(): Promise<readonly number[]> {
    return (await endGroup(this.path)).left
  }

  #set(name: string, value: number): void {
    try {
      writeGroupFile(this.path, name, value)
    } catch {
      // Without this controller, or on a kernel that does not know it: the keeper looks after it as ever.
    }
  }
}

/** The processes of a group; none where there is no such group. */
function pidsIn(path: string): number[] {
  try {
    return readFileSync(join(path, 'cgroup.procs'), 'latin1').split('\n').filter(Boolean).map(Number)
  } catch (error) {
    if (isGone(error)) return []
    throw error
  }
}

function killGroup(path: string): void {
  try {
    writeGroupFile(path, 'cgroup.kill', 1)
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

/**
 * Kills all in a group and in those below it, and removes it; says how many there were, and which cannot be killed.
 */
export async function endGroup(path: string): Promise<{ killed: number; left: readonly number[] }> {
  const endAt = performance.now() + PATIENCE_MS
  let [killed, pauseMs] = [0, 1]
  // Only one without live processes can be removed.
  while (!removeGroup(path)) {
    let left: number[] = []
    try {
      left = pidsIn(path)
      killed = Math.max(killed, left.length)
      killGroup(path)
    } catch (error) {
      // Without descriptors. Nothing may be taken for dead.
      if (performance.now() > endAt) throw error
    }
    if (performance.now() > endAt) return { killed, left }
    await delay(pauseMs)
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
  }
  return { killed, left: [] }
}

/** Removes a group, with those that a job made below; false where a live process is in one. */
export function removeGroup(path: string): boolean {
  try {
    rmdirSync(path)
    return true
  } catch (error) {
    if (isGone(error)) return true
  }
  try {
    const below = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    if (below.length === 0 || !below.every(({ name }) => removeGroup(join(path, name)))) return false
    rmdirSync(path)
    return true
  } catch (error) {
    return isGone(error)
  }
}
