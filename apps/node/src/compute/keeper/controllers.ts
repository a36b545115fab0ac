import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { systemTool } from './confinement.ts'
import { writeGroupFile } from './group-file.ts'
import { LEAF, ownGroup } from './own-group.ts'
import { readProcess } from './process-table.ts'

/** The controllers of cgroups that bound a job. */
const CONTROLLERS = ['memory', 'pids', 'cpu'] as const
/** A controller that bounds a job. */
export type Controller = (typeof CONTROLLERS)[number]

const run = promisify(execFile)
const SYSTEMCTL_MS = 5_000
const asked = new Map<string, Promise<boolean>>()
/** A node and its helpers start others while they are moved. */
const ROUNDS = 10
/** The node comes before the jobs, however many they are. */
const MOST_WEIGHT = 10_000

/** Which controllers a group has (`controllers`), or gives to those below it (`subtree_control`). */
export function controllersOf(group: string, which: 'controllers' | 'subtree_control'): Controller[] {
  const names = readFileSync(join(group, `cgroup.${which}`), 'utf8')
    .trim()
    .split(' ')
  return CONTROLLERS.filter((name) => names.includes(name))
}

/** Gives those below a group whatever controllers it has. */
export function enable(group: string): void {
  for (const name of controllersOf(group, 'controllers')) {
    try {
      writeGroupFile(group, 'cgroup.subtree_control', `+${name}`)
    } catch {
      // Refused where a process is in it, and by a kernel that cannot. Jobs have groups all the same.
    }
  }
}

/** Tells whether groups in that of this node may have controllers. */
export async function mayHaveControllers(): Promise<boolean> {
  try {
    const base = ownGroup()
    if (base === undefined) return false
    accessSync(base, constants.W_OK)
    if (controllersOf(base, 'subtree_control').length > 0) return true
    return controllersOf(base, 'controllers').length > 0 && (await isHandedOver(base))
  } catch {
    return false
  }
}

/**
 * Lets the groups in that of a node have its controllers, where it is the node's own: it must hold no process for
 * that.
 */
export async function makeWay(base: string): Promise<void> {
  const missing = controllersOf(base, 'controllers').length - controllersOf(base, 'subtree_control').length
  if (missing === 0 || !(await isHandedOver(base))) return
  const leaf = join(base, LEAF)
  mkdirSync(leaf, { recursive: true })
  for (let round = 0; round < ROUNDS && moveAll(base, leaf) > 0; round += 1);
  enable(base)
  try {
    writeGroupFile(leaf, 'cpu.weight', MOST_WEIGHT)
  } catch {
    // Without that controller.
  }
}

/**
 * Tells whether a group is the node's to divide. The root of the machine is nobody's. systemd puts processes of its
 * own into groups of its units, which it then could not any more, so it is asked whether it has delegated this one.
 */
async function isHandedOver(base: string): Promise<boolean> {
  if (!existsSync(join(base, 'cgroup.events'))) return false
  const unit = basename(base)
  if (!/\.(?:service|scope|slice)$/.test(unit)) return true
  const known = asked.get(base) ?? isDelegated(base, unit)
  asked.set(base, known)
  return await known
}

async function isDelegated(base: string, unit: string): Promise<boolean> {
  const user = base.includes('/user@') ? ['--user'] : []
  try {
    const { stdout } = await run(
      systemTool('systemctl'),
      [...user, 'show', '--property=Delegate', unit],
      // Where the manager of a user is found.
      { env: { XDG_RUNTIME_DIR: `/run/user/${process.getuid?.() ?? 0}` }, timeout: SYSTEMCTL_MS },
    )
    return stdout.trim() === 'Delegate=yes'
  } catch {
    return false
  }
}

/**
 * Moves the node, what has started it and what it has started from one group to another; returns how many it moved.
 */
function moveAll(from: string, to: string): number {
  const pids = readFileSync(join(from, 'cgroup.procs'), 'latin1').split('\n').filter(Boolean).map(Number)
  const [, node, ...before] = ancestry(process.pid)
  let moved = 0
  for (const pid of pids) {
    if (!before.includes(pid) && !ancestry(pid).includes(node)) continue
    try {
      writeGroupFile(to, 'cgroup.procs', pid)
      moved += 1
    } catch {
      // It has ended.
    }
  }
  return moved
}

/** A process, its parent, the parent of that, and so on. */
function ancestry(pid: number | undefined): (number | undefined)[] {
  return pid === undefined || pid === 0 ? [] : [pid, ...ancestry(readProcess(pid)?.ppid)]
}
