import type { Cgroup } from './cgroup.ts'
import { confine } from './confinement.ts'
import type { JobProcesses, Program, Start } from './job-processes.ts'
import { type JobUse, useOf } from './job-use.ts'
import { sendSignal, terminate } from './sweep.ts'

/** The processes of a job in a cgroup of its own: whatever they do, those that they start are in there, too. */
export class GroupedProcesses implements JobProcesses {
  /** A program that cannot be started in its group is not started. */
  readonly lost = false
  readonly #group: Cgroup
  #first: number | undefined

  constructor(group: Cgroup) {
    this.#group = group
  }

  enclose({ env, limits, ...line }: Program): Promise<Start> {
    return Promise.resolve({ ...confine(line, { ...limits, tasks: null }), env })
  }

  begin(pid: number): void {
    this.#first = pid
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
