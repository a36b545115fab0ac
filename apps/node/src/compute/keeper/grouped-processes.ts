import type { Cgroup } from './cgroup.ts'
import { confine } from './confinement.ts'
import { type FirstProcess, type StartPlace, spawnProgram } from './first-process.ts'
import type { JobProcesses, Program } from './job-processes.ts'
import { type JobUse, useOf } from './job-use.ts'
import { sendSignal, terminate } from './sweep.ts'

/** The processes of a job in a cgroup of its own: whatever they do, those that they start are in there, too. */
export class GroupedProcesses implements JobProcesses {
  /** A program that cannot be started in its group is not started. */
  readonly lost = false
  readonly endWithKeeper = false
  readonly #group: Cgroup
  #first: number | undefined

  constructor(group: Cgroup) {
    this.#group = group
  }

  enclose(): Promise<void> {
    return Promise.resolve()
  }

  async start({ env, limits, ...line }: Program, place: StartPlace): Promise<FirstProcess> {
    const start = { ...confine(line, { ...limits, tasks: null }), env }
    const first = await this.#group.bear(() => spawnProgram(start, place))
    this.#first = first.pid
    return first
  }

  look(): JobUse {
    return useOf(this.#group.pids())
  }

  terminate(): void {
    for (const pid of this.#known()) terminate(pid)
  }

  kill(): void {
    try {
      this.#group.kill()
    } catch {
      // Without descriptors. The rest is killed when the first one has ended.
      if (this.#first !== undefined) sendSignal(-this.#first, 'SIGKILL')
    }
  }

  #known(): readonly number[] {
    try {
      return this.#group.pids()
    } catch {
      return this.#first === undefined ? [] : [this.#first]
    }
  }

  async end(): Promise<readonly number[]> {
    return await this.#group.end()
  }
}
