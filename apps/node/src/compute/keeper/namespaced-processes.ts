import { limit } from './confinement.ts'
import { Footprint } from './footprint.ts'
import type { JobProcesses, Program, Start } from './job-processes.ts'
import { type JobUse, sumOfUses } from './job-use.ts'
import type { PidNamespace } from './pid-namespace.ts'
import type { PidNamespaces } from './pid-namespaces.ts'
import { type ProcessEntry, readProcess } from './process-table.ts'
import { sendSignal, terminate } from './sweep.ts'

/** For what waits for a job outside to end after it. */
const PATIENCE_MS = 2_000

/**
 * The processes of a job in a namespace that no other has at the time: none can leave it, and none outlives its first
 * one.
 */
export class NamespacedProcesses implements JobProcesses {
  readonly #namespaces: PidNamespaces
  readonly #directory: string
  readonly #sharing: string | null
  readonly #footprint: Footprint
  #namespace: PidNamespace | undefined
  #entering: number | undefined
  #patience: NodeJS.Timeout | undefined

  /**
   * `directory` is where the job starts; only jobs with the same `sharing` follow each other in one namespace, null
   * for none.
   */
  constructor(namespaces: PidNamespaces, directory: string, sharing: string | null) {
    this.#namespaces = namespaces
    this.#directory = directory
    this.#sharing = sharing
    this.#footprint = new Footprint({
      isMarked: () => false,
      workDir: directory,
      notBefore: '0',
      exceptPid: process.pid,
    })
  }

  async enclose({ env, limits, ...line }: Program): Promise<Start> {
    this.#namespace = await this.#namespaces.take(this.#sharing)
    // Elsewhere such a limit would count what the user runs beside this job.
    const tasks = this.#namespace.hasUserNamespace ? limits.tasks : null
    return this.#namespace.enter({ ...limit(line, { ...limits, tasks }), env }, this.#directory)
  }

  begin(pid: number): void {
    this.#entering = pid
    this.#footprint.add(pid)
    // Whatever loses its parent in there becomes a child of the first process.
    if (this.#namespace !== undefined) this.#footprint.add(this.#namespace.initPid)
  }

  look(): JobUse {
    this.#wake()
    return sumOfUses(this.#namespace?.uses() ?? [])
  }

  terminate(): void {
    for (const { pid } of this.#inside()) terminate(pid)
    // What waits for the job outside stops with it.
    if (this.#entering !== undefined) sendSignal(this.#entering, 'SIGCONT')
  }

  /**
   * What waits for the job outside stops when the job stops, and would not see it go on: only from inside it is woken.
   */
  #wake(): void {
    const entering = this.#entering === undefined ? undefined : readProcess(this.#entering)
    if (entering?.state !== 'T') return
    const stopped = this.#footprint
      .refresh()
      .some(({ ppid, state }) => ppid === entering.pid && state === 'T')
    if (!stopped) sendSignal(entering.pid, 'SIGCONT')
  }

  #inside(): readonly ProcessEntry[] {
    const ours = new Set([this.#entering, this.#namespace?.initPid])
    try {
      return this.#footprint.refresh().filter(({ pid }) => !ours.has(pid))
    } catch {
      // Without descriptors. All in it can be killed without being seen.
      return []
    }
  }

  kill(): void {
    this.#namespace?.kill()
    const entering = this.#entering
    if (entering === undefined) return
    // It is left to see the job's end: without it, the namespace ends only when the first process of the machine has
    // taken note of the job, which some do at leisure. It may have been stopped by the job.
    sendSignal(entering, 'SIGCONT')
    this.#patience ??= setTimeout(() => sendSignal(entering, 'SIGKILL'), PATIENCE_MS)
  }

  get lost(): boolean {
    return this.#namespace?.alive === false
  }

  async end(): Promise<readonly number[]> {
    clearTimeout(this.#patience)
    const ended = this.#namespace === undefined || (await this.#namespaces.giveBack(this.#namespace))
    return ended ? [] : this.#inside().map(({ pid }) => pid)
  }
}
