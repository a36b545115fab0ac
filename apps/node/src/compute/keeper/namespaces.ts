import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { limit, systemTool, TOOL_PATH } from './confinement.ts'
import { Footprint } from './footprint.ts'
import type { JobProcesses, Start } from './job-processes.ts'
import { childrenOf, isLive, type ProcessEntry, readName, readProcess } from './process-table.ts'
import { stopWatch } from './stop-watch.ts'
import { sendSignal, terminate } from './sweep.ts'

const PATIENCE_MS = 10_000
/** Variables by which a C library is made to load code. */
const LOADS_CODE = /^(?:LD_|GLIBC_|GCONV_PATH$|LOCPATH$|NLSPATH$|HOSTALIASES$)/
interface Form {
  readonly unshare: readonly string[]
  readonly user: boolean
}

/** As root; then as an ordinary user, who needs a user namespace to be allowed one of processes. */
const FORMS: readonly Form[] = [
  { unshare: [], user: false },
  { unshare: ['--user', '--map-current-user'], user: true },
]
/** The first process of a namespace: takes in orphans and lets them go, and does nothing else. */
const INIT = ['env', '--ignore-signal=CHLD', 'sleep', 'infinity']

/** A PID namespace that holds its first process and, in time, one job. All in it die with that process. */
export class PidNamespace {
  /** The first process, as seen from here. */
  readonly initPid: number
  readonly #holder: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #user: boolean

  constructor(initPid: number, holder: ChildProcess, user: boolean) {
    this.initPid = initPid
    this.#holder = holder
    this.#user = user
    this.#ended = this.#gone ? Promise.resolve() : once(holder, 'exit')
    // One that somebody stops would hold up the end of its namespace.
    stopWatch.watch(holder)
  }

  /** Tells whether a program can still be brought in; one that waited may have been ended by somebody meanwhile. */
  get alive(): boolean {
    const first = this.#gone ? undefined : readProcess(this.initPid)
    return first !== undefined && isLive(first) && first.ppid === this.#holder.pid
  }

  /** What starts a program in here: a process outside that waits for it, ends as it ends, and dies with the keeper. */
  enter(start: Start, directory: string): Start {
    const { limits, env } = start
    const { command, args } = limits === null ? start : limit(start, limits)
    const places = [
      ...(this.#user ? [`--user=/proc/${this.initPid}/ns/user`, '--preserve-credentials'] : []),
      `--pid=/proc/${this.initPid}/ns/pid`,
      `--mount=/proc/${this.initPid}/ns/mnt`,
      `--wd=${directory}`,
    ]
    // What makes the system load other code must not do so before the program is inside.
    const [inside, outside] = partition(Object.entries(env), ([name]) => LOADS_CODE.test(name))
    const variables = inside.map(([name, value]) => `${name}=${value}`)
    return {
      limits: null,
      command: systemTool('setpriv'),
      args: [
        ...['--pdeathsig', 'KILL', '--', systemTool('nsenter'), ...places, '--'],
        ...(variables.length > 0 ? [systemTool('env'), ...variables] : []),
        // A session of its own, so that what it sends to its process group stays inside.
        ...[systemTool('setsid'), command, ...args],
      ],
      env: Object.fromEntries(outside),
    }
  }

  /** Kills all in it at once; does not wait. */
  kill(): void {
    // The kernel kills the rest. The number is not given to another before the holder has ended.
    if (!this.#gone) sendSignal(this.initPid, 'SIGKILL')
  }

  /** Kills all in it, and resolves when the kernel has; false where something in it cannot be killed. */
  async end(): Promise<boolean> {
    this.kill()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), PATIENCE_MS)
    })
    const gone = await Promise.race([late, this.#ended.then(() => true)])
    clearTimeout(timer)
    return gone
  }

  get #gone(): boolean {
    return this.#holder.exitCode !== null || this.#holder.signalCode !== null
  }
}

/** The namespaces for the native programs of a keeper: one for each job, and one that is ready for the next. */
export class PidNamespaces {
  readonly #form: Form
  readonly #env: Readonly<Record<string, string>>
  #spare: Promise<PidNamespace> | undefined

  private constructor(form: Form, env: Readonly<Record<string, string>>) {
    this.#form = form
    this.#env = env
  }

  /** Finds out whether this machine and user may have namespaces; undefined where not. `env` is for their first processes. */
  static async find(env: Readonly<Record<string, string>>): Promise<PidNamespaces | undefined> {
    for (const form of FORMS) {
      const namespaces = new PidNamespaces(form, env)
      if (await namespaces.#works()) return namespaces
    }
    return undefined
  }

  /** A namespace for one job. Rejects where the machine refuses another. */
  async take(): Promise<PidNamespace> {
    const ready = this.#spare ?? this.#make()
    this.#spare = this.#make()
    this.#spare.catch(() => {
      // Whoever takes the next one tries again, and is told.
      this.#spare = undefined
    })
    const namespace = await ready
    return namespace.alive ? namespace : await this.#make()
  }

  /** Whether a program can be run in a namespace, and its exit code seen. */
  async #works(): Promise<boolean> {
    try {
      const namespace = await this.#make()
      const { command, args } = namespace.enter(
        { command: '/bin/sh', args: ['-c', 'exit 42'], env: {}, limits: null },
        '/',
      )
      const child = spawn(command, args, { env: {}, stdio: 'ignore' })
      const [code] = (await once(child, 'exit')) as [number | null]
      return (await namespace.end()) && code === 42
    } catch {
      return false
    }
  }

  async #make(): Promise<PidNamespace> {
    const { user, unshare } = this.#form
    const options = [...unshare, '--pid', '--fork', '--kill-child', '--mount-proc']
    const holder = spawn(
      systemTool('setpriv'),
      ['--pdeathsig', 'KILL', '--', systemTool('unshare'), ...options, ...INIT],
      {
        cwd: '/',
        detached: true,
        env: { ...this.#env, PATH: TOOL_PATH },
        stdio: 'ignore',
      },
    )
    holder.on('error', () => undefined)
    return new PidNamespace(await firstProcess(holder), holder, user)
  }
}

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

  async enclose(start: Start): Promise<Start> {
    this.#namespace = await this.#namespaces.take()
    return this.#namespace.enter(start, this.#directory)
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

/** Waits until the first process of a namespace is what it is to be, and resolves to its pid; rejects where its holder ends before. */
async function firstProcess(holder: ChildProcess): Promise<number> {
  const hasEnded = (): boolean => holder.exitCode !== null || holder.signalCode !== null
  while (holder.pid !== undefined && !hasEnded()) {
    const [pid] = childrenOf(holder.pid)
    if (pid !== undefined && readName(pid) === 'sleep') return pid
    await delay(1)
  }
  throw new Error('this machine gives no namespace of processes')
}

function partition<Item>(
  items: readonly Item[],
  isFirst: (item: Item) => boolean,
): readonly [Item[], Item[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))]
}
