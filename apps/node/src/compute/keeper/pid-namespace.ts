import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { within } from '../../waiting/time-limit.ts'
import { systemTool } from './confinement.ts'
import type { Start } from './first-process.ts'
import type { Kept } from './kept-pool.ts'
import { ProcView } from './proc-view.ts'
import { isLive, type ProcessEntry, type ProcessUse, readProcess } from './process-table.ts'
import { stopWatch } from './stop-watch.ts'
import { sendSignal } from './sweep.ts'

const PATIENCE_MS = 10_000
/** Variables by which a C library is made to load code. */
const LOADS_CODE = /^(?:LD_|GLIBC_|GCONV_PATH$|LOCPATH$|NLSPATH$|HOSTALIASES$)/

/**
 * A PID namespace that holds its first process and, in time, one job after the other. All in it die with that process.
 */
export class PidNamespace implements Kept {
  /** The first process, as seen from here. */
  readonly initPid: number
  /** True where an ordinary user made it, who needs a user namespace for that. */
  readonly hasUserNamespace: boolean
  /** All are alike. */
  readonly form: number = 0
  /** True when a job has been in it. */
  hadJob = false
  readonly #holder: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #view: ProcView
  /** What was mounted where before the first job. */
  readonly #mounts: string
  /** The control groups that it was in before the first job, in one of which a job could hold it up. */
  readonly #groups: string
  #killed = false
  sharing: string | null | undefined
  idleSinceMs: number = performance.now()

  /** Throws where what is in it cannot be looked at. */
  constructor(initPid: number, holder: ChildProcess, hasUserNamespace: boolean) {
    this.initPid = initPid
    this.#holder = holder
    this.hasUserNamespace = hasUserNamespace
    this.#view = new ProcView(initPid)
    this.#mounts = readMounts(initPid)
    this.#groups = readGroups(initPid)
    this.#ended = this.gone ? Promise.resolve() : once(holder, 'exit')
    // One that somebody stops would hold up the end of its namespace.
    stopWatch.watch(holder)
    void this.#ended.then(() => this.#view.close())
  }

  /** What the live processes in it take, but for the first. */
  uses(): readonly ProcessUse[] {
    return this.#view.uses()
  }

  /** Tells whether a program can still be brought in; one that waited may have been ended by somebody meanwhile. */
  get alive(): boolean {
    return this.#first() !== undefined
  }

  /** The first process, where it lives and no other has its number. */
  #first(): ProcessEntry | undefined {
    const first = this.gone ? undefined : readProcess(this.initPid)
    return first !== undefined && isLive(first) && first.ppid === this.#holder.pid ? first : undefined
  }

  /** Tells whether nothing but its first process is in it, and that waits. */
  get waitsAlone(): boolean {
    try {
      return !this.#killed && this.#first()?.state === 'S' && this.#view.isEmpty()
    } catch {
      // Gone meanwhile, or without descriptors to look with.
      return false
    }
  }

  /**
   * Tells whether it is as it was before its first job: nothing else is in it, nothing was mounted, and its first
   * process waits in the groups where it was.
   */
  get clean(): boolean {
    try {
      return (
        this.waitsAlone &&
        readMounts(this.initPid) === this.#mounts &&
        readGroups(this.initPid) === this.#groups
      )
    } catch {
      // Gone meanwhile, or without descriptors to look with.
      return false
    }
  }

  /** What starts a program in here: a process outside that waits for it, ends as it ends, and dies with the keeper. */
  enter({ command, args, env }: Start, directory: string): Start {
    const places = [
      ...(this.hasUserNamespace ? [`--user=/proc/${this.initPid}/ns/user`, '--preserve-credentials'] : []),
      `--pid=/proc/${this.initPid}/ns/pid`,
      `--mount=/proc/${this.initPid}/ns/mnt`,
      // In there, so that the job also sees by a relative path what it mounts.
      `--wdns=${directory}`,
    ]
    // What makes the system load other code must not do so before the program is inside.
    const variables = Object.entries(env)
    const inside = variables.filter(([name]) => LOADS_CODE.test(name))
    return {
      command: systemTool('setpriv'),
      args: [
        ...['--pdeathsig', 'KILL', '--', systemTool('nsenter'), ...places, '--'],
        ...(inside.length > 0 ? [systemTool('env'), ...inside.map((pair) => pair.join('='))] : []),
        // A session of its own, so that what it sends to its process group stays inside.
        ...[systemTool('setsid'), command, ...args],
      ],
      env: Object.fromEntries(variables.filter(([name]) => !LOADS_CODE.test(name))),
    }
  }

  /** Kills all in it at once; does not wait. */
  kill(): void {
    this.#killed = true
    // The kernel kills the rest. The number is not given to another before the holder has ended.
    if (!this.gone) sendSignal(this.initPid, 'SIGKILL')
  }

  close(): void {
    this.kill()
  }

  /** Kills all in it, and resolves when the kernel has; false where something in it cannot be killed. */
  async end(): Promise<boolean> {
    this.kill()
    return await within(PATIENCE_MS, this.#ended)
  }

  get gone(): boolean {
    return this.#holder.exitCode !== null || this.#holder.signalCode !== null
  }
}

function readMounts(pid: number): string {
  return readFileSync(`/proc/${pid}/mountinfo`, 'latin1')
}

function readGroups(pid: number): string {
  return readFileSync(`/proc/${pid}/cgroup`, 'latin1')
}
