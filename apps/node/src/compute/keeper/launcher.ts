import { within } from '../../waiting/time-limit.ts'
import type { FirstProcess } from './first-process.ts'
import { LauncherProcess, type LaunchOrder } from './launcher-process.ts'
import type { PidNamespaces } from './pid-namespaces.ts'

const PROBE_MS = 10_000
const PROBE_CODE = 42

/**
 * Starts the programs of jobs in their namespaces by one process beside the keeper, at a third of what the tools take
 * that would replace each other for it. One that was lost is replaced when the next program is started.
 */
export class Launcher {
  readonly #env: Readonly<Record<string, string>>
  #current: LauncherProcess | undefined

  private constructor(env: Readonly<Record<string, string>>) {
    this.#env = env
  }

  /**
   * Finds out whether programs can be started so here; undefined where not, as without Perl. `env` is all that the
   * process sees of an environment.
   */
  static async find(
    namespaces: PidNamespaces,
    env: Readonly<Record<string, string>>,
  ): Promise<Launcher | undefined> {
    const launcher = new Launcher(env)
    if (await launcher.#works(namespaces)) return launcher
    launcher.#current?.kill()
    return undefined
  }

  /** Starts a program. Rejects where it cannot be started, and with a `LauncherLost` where that is not known. */
  async start(order: LaunchOrder): Promise<FirstProcess> {
    if (this.#current === undefined || this.#current.gone) this.#current = new LauncherProcess(this.#env)
    return await this.#current.start(order)
  }

  /** Whether a program can be run in a namespace, and its exit code seen. */
  async #works(namespaces: PidNamespaces): Promise<boolean> {
    const namespace = await namespaces.take(null).catch(() => undefined)
    if (namespace === undefined) return false
    const limits = { fileBytes: 0, dataBytes: null, tasks: null }
    const line = { command: '/bin/sh', args: ['-c', `exit ${PROBE_CODE}`], env: {} }
    let works = false
    const probe = async (): Promise<void> => {
      const order = { ...line, limits, namespace, directory: '/', group: undefined }
      const { ended, stdout, stderr } = await this.start(order)
      for (const stream of [stdout, stderr]) stream?.destroy()
      works = (await ended).exitCode === PROBE_CODE
    }
    await within(
      PROBE_MS,
      probe().catch(() => undefined),
    )
    await namespaces.giveBack(namespace)
    return works
  }
}
