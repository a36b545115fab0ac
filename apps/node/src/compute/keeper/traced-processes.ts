import type { Census, Lookout } from './census.ts'
import { confine } from './confinement.ts'
import { type FirstProcess, type StartPlace, spawnProgram } from './first-process.ts'
import { Footprint } from './footprint.ts'
import type { JobProcesses, Program } from './job-processes.ts'
import { type JobUse, useOf } from './job-use.ts'
import { type ProcessEntry, readProcess } from './process-table.ts'
import { sendSignal, sweep, terminate } from './sweep.ts'

const SWEEP_MS = 10_000

/** The processes of a job among all others of the machine, known by the traces that they leave. */
export class TracedProcesses implements JobProcesses {
  readonly lost = false
  readonly endWithKeeper = false
  readonly #lookout: Lookout
  readonly #footprint: Footprint
  #first: number | undefined
  #census: Census | undefined

  /** `marker` is what the environment of the job holds, `workDir` where it works. */
  constructor(lookout: Lookout, marker: string, workDir: string) {
    this.#lookout = lookout
    this.#footprint = new Footprint({
      isMarked: (value) => value === marker,
      workDir,
      notBefore: readProcess(process.pid)?.startTime ?? '0',
      exceptPid: process.pid,
    })
  }

  enclose(): Promise<void> {
    return Promise.resolve()
  }

  async start({ env, limits, ...line }: Program, place: StartPlace): Promise<FirstProcess> {
    const start = { ...confine(line, { ...limits, tasks: null }), env }
    const first = await spawnProgram(start, place)
    this.#first = first.pid
    this.#footprint.add(first.pid)
    return first
  }

  look(): JobUse {
    const census = this.#lookout.recent()
    if (census !== this.#census) this.#footprint.find(census)
    this.#census = census
    return useOf(this.#footprint.refresh().map(({ pid }) => pid))
  }

  terminate(): void {
    for (const { pid } of this.#known()) terminate(pid)
  }

  kill(): void {
    if (this.#first === undefined) return
    sendSignal(-this.#first, 'SIGKILL')
    for (const { pid } of this.#known()) sendSignal(pid, 'SIGKILL')
  }

  #known(): readonly ProcessEntry[] {
    try {
      return this.#footprint.refresh()
    } catch {
      // Without descriptors. What is left is swept when the first one has ended.
      return []
    }
  }

  async end(): Promise<readonly number[]> {
    if (this.#first === undefined) return []
    const { left } = await sweep(this.#footprint, this.#lookout, SWEEP_MS)
    return left
  }
}
