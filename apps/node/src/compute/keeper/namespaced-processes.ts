import type { Cgroup } from './cgroup.ts'
import { limit } from './confinement.ts'
import { type FirstProcess, type StartPlace, spawnProgram } from './first-process.ts'
import { Footprint } from './footprint.ts'
import type { JobProcesses, Program } from './job-processes.ts'
import { type JobUse, sumOfUses } from './job-use.ts'
import type { Launcher } from './launcher.ts'
import type { PidNamespace } from './pid-namespace.ts'
import type { PidNamespaces } from './pid-namespaces.ts'
import { type ProcessEntry, readProcess } from './process-table.ts'
import { sendSignal, terminate } from './sweep.ts'

/** For what waits for a job outside to end after it. */
const PATIENCE_MS = 2_000

/** What a job in a namespace is given. */
export interface NamespaceTools {
  readonly namespaces: PidNamespaces
  /** Starts its program; undefined where the tools of the system have to. */
  readonly launcher: Launcher | undefined
  /** What bounds it as a whole, if anything does. */
  readonly group: Cgroup | undefined
}

/**
 * The processes of a job in a namespace that no other has at the time: none can leave it, and none outlives its first
 * one.
 */
export class NamespacedProcesses implements JobProcesses {
  readonly endWithKeeper = true
  readonly #tools: NamespaceTools
  readonly #sharing: string | null
  readonly #footprint: Footprint
  #namespace: PidNamespace | undefined
  /** What the first process says is the job's own word. */
  #isFirstOfJob = false
  /** What waits for the job outside, where there is such. */
  #entering: number | undefined
  #patience: NodeJS.Timeout | undefined

  /** Only jobs with the same `sharing` follow each other in one namespace, null for none; `workDir` is the job's. */
  constructor(tools: NamespaceTools, workDir: string, sharing: string | null) {
    this.#tools = tools
    this.#sharing = sharing
    this.#footprint = new Footprint({
      isMarked: () => false,
      workDir,
      notBefore: '0',
      exceptPid: process.pid,
    })
  }

  async enclose(): Promise<void> {
    this.#namespace = await this.#tools.namespaces.take(this.#sharing)
  }

  async start({ limits, ...start }: Program, place: StartPlace): Promise<FirstProcess> {
    const namespace = this.#namespace
    if (namespace === undefined) throw new Error('it has no namespace')
    // Elsewhere such a limit would count what the user runs beside this job.
    const tasks = namespace.hasUserNamespace ? limits.tasks : null
    const first = await this.#startIn(namespace, { ...start, limits: { ...limits, tasks } }, place)
    this.#footprint.add(first.pid)
    return first
  }

  async #startIn(namespace: PidNamespace, program: Program, place: StartPlace): Promise<FirstProcess> {
    const { launcher, group } = this.#tools
    if (launcher === undefined) return await this.#bringIn(namespace, program, place)
    const first = await launcher.start({ ...program, namespace, group, directory: place.directory })
    this.#isFirstOfJob = true
    return first
  }

  async #bringIn(
    namespace: PidNamespace,
    { env, limits, ...line }: Program,
    place: StartPlace,
  ): Promise<FirstProcess> {
    const start = namespace.enter({ ...limit(line, limits), env }, place.directory)
    const spawn = (): Promise<FirstProcess> => spawnProgram(start, place)
    const first = await (this.#tools.group?.bear(spawn) ?? spawn())
    this.#entering = first.pid
    return first
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
    // Whatever loses its parent in there becomes a child of the first process.
    if (this.#namespace?.alive === true) this.#footprint.add(this.#namespace.initPid)
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
    return !this.#isFirstOfJob && this.#namespace?.alive === false
  }

  async end(): Promise<readonly number[]> {
    clearTimeout(this.#patience)
    const ended = this.#namespace === undefined || (await this.#tools.namespaces.giveBack(this.#namespace))
    return ended ? [] : this.#inside().map(({ pid }) => pid)
  }
}
