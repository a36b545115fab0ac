import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { systemTool, TOOL_PATH } from './confinement.ts'
import { KeptPool } from './kept-pool.ts'
import { PidNamespace } from './pid-namespace.ts'
import { childrenOf, readName } from './process-table.ts'

interface Form {
  readonly unshare: readonly string[]
  readonly user: boolean
}

/** As root; then as an ordinary user, who needs a user namespace to be allowed one of processes. */
const FORMS: readonly Form[] = [
  { unshare: [], user: false },
  { unshare: ['--user', '--map-current-user'], user: true },
]
const REFUSED = 'this machine gives no namespace of processes'
/** A fresh one that is ended by somebody before its first job is followed by another, but not for ever. */
const MOST_TRIES = 3
/**
 * The first process of a namespace: takes in orphans and lets them go, and ends when nothing can be written to it any
 * more.
 */
const INIT_NAME = 'cat'
const INIT = ['env', '--ignore-signal=CHLD', INIT_NAME]

/**
 * The namespaces for the native programs of a keeper: one for each job at a time, those that wait for their next one,
 * and a fresh one.
 */
export class PidNamespaces {
  readonly #form: Form
  readonly #env: Readonly<Record<string, string>>
  readonly #pool = new KeptPool<PidNamespace>(() => this.#make())

  private constructor(form: Form, env: Readonly<Record<string, string>>) {
    this.#form = form
    this.#env = env
  }

  /**
   * Finds out whether this machine and user may have namespaces; undefined where not. `env` is for their first
   * processes.
   */
  static async find(env: Readonly<Record<string, string>>): Promise<PidNamespaces | undefined> {
    for (const form of FORMS) {
      const namespaces = new PidNamespaces(form, env)
      if (await namespaces.#works()) return namespaces
    }
    return undefined
  }

  /**
   * A namespace for one job: one that jobs with the same `sharing` had before, else a fresh one; null for one that no
   * job had and none will have after. Rejects where the machine refuses another.
   */
  async take(sharing: string | null): Promise<PidNamespace> {
    for (let tries = 0; tries < MOST_TRIES; ) {
      const namespace = await this.#pool.take(sharing)
      if (namespace.hadJob ? namespace.waitsAlone : namespace.alive) return namespace
      if (!namespace.hadJob) tries += 1
      namespace.kill()
    }
    throw new Error(REFUSED)
  }

  /**
   * Takes back the namespace of a job that has ended: for the next one, or to end it. Resolves to false where
   * something in it cannot be killed.
   */
  async giveBack(namespace: PidNamespace): Promise<boolean> {
    if (typeof namespace.sharing !== 'string' || !namespace.clean) return await namespace.end()
    namespace.hadJob = true
    this.#pool.add(namespace)
    return true
  }

  /** Whether a program can be run in a namespace, and its exit code seen. */
  async #works(): Promise<boolean> {
    try {
      const namespace = await this.#make()
      const { command, args } = namespace.enter({ command: '/bin/sh', args: ['-c', 'exit 42'], env: {} }, '/')
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
        // A death signal does not come where the parent was dead before it was asked for; the end of a pipe does.
        stdio: ['pipe', 'ignore', 'ignore'],
      },
    )
    holder.on('error', () => undefined)
    holder.stdin.on('error', () => undefined)
    try {
      return new PidNamespace(await firstProcess(holder), holder, user)
    } catch (error) {
      holder.kill('SIGKILL')
      throw error
    }
  }
}

/**
 * Waits until the first process of a namespace is what it is to be, and resolves to its pid; rejects where its holder
 * ends before.
 */
async function firstProcess(holder: ChildProcess): Promise<number> {
  const hasEnded = (): boolean => holder.exitCode !== null || holder.signalCode !== null
  while (holder.pid !== undefined && !hasEnded()) {
    const [pid] = childrenOf(holder.pid)
    if (pid !== undefined && readName(pid) === INIT_NAME) return pid
    await delay(1)
  }
  throw new Error(REFUSED)
}
