import { Cgroups } from './cgroups.ts'
import { mayHaveControllers } from './controllers.ts'
import type { KeeperName } from './keeper-group.ts'
import { Launcher } from './launcher.ts'
import { PidNamespaces } from './pid-namespaces.ts'
import type { Isolation, Shelter } from './protocol.ts'

/** What native programs are run in. */
export interface Isolators {
  /** One namespace for each job at a time; undefined where the machine has none to give. */
  readonly namespaces: PidNamespaces | undefined
  /** Starts them in namespaces; undefined where the tools of the system have to. */
  readonly launcher: Launcher | undefined
  /**
   * One cgroup for each job; undefined where there are none, or where they would give nothing that a namespace does
   * not.
   */
  readonly groups: Cgroups | undefined
}

/** Finds out, once for each wish, what a keeper can have of what is wanted for its native programs. */
export class IsolatorSearch {
  readonly #keeper: KeeperName
  readonly #env: Readonly<Record<string, string>>
  readonly #found = new Map<Isolation, Promise<Isolators>>()
  #groups: Promise<Cgroups | undefined> | undefined
  #open: Cgroups | undefined

  /** `env` is for the first processes of namespaces and for what starts others in there. */
  constructor(keeper: KeeperName, env: Readonly<Record<string, string>>) {
    this.#keeper = keeper
    this.#env = env
  }

  /** The best that the machine has of what is wanted. */
  async find(wanted: Isolation): Promise<Isolators> {
    const found = this.#found.get(wanted) ?? this.#look(wanted)
    this.#found.set(wanted, found)
    return await found
  }

  /** Says what {@link IsolatorSearch.find} finds. */
  async shelter(wanted: Isolation): Promise<Shelter> {
    const { namespaces, groups } = await this.find(wanted)
    const apart = groups === undefined ? 'none' : 'cgroup'
    return {
      isolation: namespaces === undefined ? apart : 'pid-namespace',
      controllers: groups?.controllers ?? [],
    }
  }

  /** Gives back what was made, when no job is left. */
  close(): void {
    this.#open?.close()
  }

  async #look(wanted: Isolation): Promise<Isolators> {
    if (wanted === 'none') return { namespaces: undefined, launcher: undefined, groups: undefined }
    const namespaces = wanted === 'cgroup' ? undefined : await PidNamespaces.find(this.#env)
    if (namespaces === undefined) {
      return { namespaces, launcher: undefined, groups: await this.#findGroups() }
    }
    // Beside a namespace only for what the kernel can hold a job to.
    const groups = (await mayHaveControllers()) ? await this.#findGroups() : undefined
    const launcher = await Launcher.find(namespaces, this.#env)
    return { namespaces, launcher, groups: groups?.controllers.length === 0 ? undefined : groups }
  }

  async #findGroups(): Promise<Cgroups | undefined> {
    this.#groups ??= Cgroups.find(this.#keeper)
    this.#open = await this.#groups
    return this.#open
  }
}
