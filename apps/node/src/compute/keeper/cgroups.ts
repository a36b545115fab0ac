import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { Cgroup, removeGroup } from './cgroup.ts'
import { systemTool } from './confinement.ts'
import { type Controller, controllersOf, enable, makeWay } from './controllers.ts'
import { endDeadGroups, type KeeperName, keeperGroupOf, runGroupOf } from './keeper-group.ts'
import { currentGroup, ownGroup } from './own-group.ts'

/** The cgroups for the native programs of a keeper: one for each job, all below one of the keeper's own. */
export class Cgroups {
  /** What the kernel can hold a job to. */
  readonly controllers: readonly Controller[]
  readonly #path: string
  readonly #home: number
  #count = 0

  private constructor(path: string, home: number) {
    this.#path = path
    this.#home = home
    this.controllers = controllersOf(path, 'subtree_control')
  }

  /**
   * Finds out whether this keeper may have groups, and ends what earlier keepers of its place have left in theirs;
   * undefined where it may not. Where the group of the node can have controllers only without processes, it moves the
   * node and its helpers.
   */
  static async find(keeper: KeeperName): Promise<Cgroups | undefined> {
    let path = ''
    try {
      const base = ownGroup()
      if (base === undefined) return undefined
      await endDeadGroups(base, keeper.place)
      path = join(base, keeperGroupOf(keeper))
      mkdirSync(path)
      await makeWay(base)
      enable(path)
      const groups = new Cgroups(path, openSync(join(currentGroup() ?? base, 'cgroup.procs'), 'w'))
      if (await groups.#works()) return groups
      groups.close()
    } catch {
      if (path !== '') removeGroup(path)
    }
    return undefined
  }

  /** A group for a run, not made yet. */
  groupFor(executionId: string): Cgroup {
    this.#count += 1
    return new Cgroup(join(this.#path, runGroupOf(executionId, this.#count)), this.#home)
  }

  /** Gives all groups back, when no job is left. */
  close(): void {
    removeGroup(this.#path)
    closeSync(this.#home)
  }

  /** Whether a process can be born in a group and be killed with it. */
  async #works(): Promise<boolean> {
    const group = this.groupFor('probe')
    try {
      group.make()
      const child = group.bear<ChildProcess>(() =>
        spawn(systemTool('sleep'), ['10'], { cwd: '/', env: {}, stdio: 'ignore' }),
      )
      const over = once(child, 'exit') as Promise<[number | null, string | null]>
      const isInside = child.pid !== undefined && group.pids().includes(child.pid)
      const isOutside = !group.pids().includes(process.pid)
      if (isInside && isOutside) group.kill()
      else child.kill('SIGKILL')
      const [, signal] = await over
      return isInside && isOutside && signal === 'SIGKILL' && (await group.end()).length === 0
    } catch {
      return false
    }
  }
}
