import { limit } from './confinement.ts'
import { Footprint } from './footprint.ts'
import type { JobProcesses, Program, Start } from './job-processes.ts'
import type { PidNamespace } from './pid-namespace.ts'
import type { PidNamespaces } from './pid-namespaces.ts'
import type { ProcessEntry } from './process-table.ts'
import { sendSignal, terminate } from './sweep.ts'

/** The processes of a job in a namespace of their own: none can leave it, and none outlives its first one. */
export class NamespacedProcesses implements JobProcesses {
  readonly #namespaces: PidNamespaces
  readonly #directory: string
  readonly #footprint: Footprint
  #namespace: PidNamespace | undefined
  #entering: number | undefined

  /** `directory` is where the job starts. */
  constructor(namespaces: PidNamespaces, directory: string) {
    this.#namespaces = namespaces
    this.#directory = directory
    this.#footprint = new Footprint({
      isMarked: () => false,
      workDir: directory,
      notBefore: '0',
      exceptPid: process.pid,
    })
  }

  async enclose({ env, limits, ...line }: Program): Promise<Start> {
    this.#namespace = await this.#namespaces.take()
    return this.#namespace.enter({ ...limit(line, limits), env }, this.#directory)
  }

  begin(pid: number): void {
    this.#entering = pid
    this.#footprint.add(pid)
    // Whatever loses its parent in there becomes a child of the first process.
    if (this.#namespace !== undefined) this.#footprint.add(this.#namespace.initPid)
  }

  look(): readonly ProcessEntry[] {
    const live = this.#footprint.refresh()
    this.#wake(live)
    return this.#withoutOurs(live)
  }

  terminate(): void {
    for (const { pid } of this.#inside()) terminate(pid)
    // What waits for the job outside stops with it.
    if (this.#entering !== undefined) sendSignal(this.#entering, 'SIGCONT')
  }

  /** What waits for the job outside stops when the job stops, and would not see it go on: only from inside it is woken. */
  #wake(live: readonly ProcessEntry[]): void {
    const entering = live.find(({ pid }) => pid === this.#entering)
    if (entering?.state !== 'T') return
    const stopped = live.some(({ ppid, state }) => ppid === entering.pid && state === 'T')
    if (!stopped) sendSignal(entering.pid, 'SIGCONT')
  }

  #inside(): readonly ProcessEntry[] {
    return this.#withoutOurs(this.#footprint.refresh())
  }

  #withoutOurs(live: readonly ProcessEntry[]): readonly ProcessEntry[] {
    const ours = new Set([this.#entering, this.#namespace?.initPid])
    return live.filter(({ pid }) => !ours.has(pid))
  }

  kill(): void {
    this.#namespace?.kill()
    // What waits for the job outside may have been stopped by it, and then holds the end of the namespace up.
    if (this.#entering !== undefined) sendSignal(this.#entering, 'SIGKILL')
  }

  async end(): Promise<readonly number[]> {
    const ended = (await this.#namespace?.end()) ?? true
    return ended ? [] : this.#inside().map(({ pid }) => pid)
  }
}
