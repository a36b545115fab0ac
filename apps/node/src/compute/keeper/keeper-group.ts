import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { endGroup, removeGroup } from './cgroup.ts'
import { isGone } from './group-file.ts'
import { ownGroup } from './own-group.ts'
import { isLive, readProcess } from './process-table.ts'

const PREFIX = 'saltcod-jobs'

/** A keeper as its group names it: the same process has no other, also after the machine was started anew. */
export interface KeeperName {
  readonly pid: number
  readonly startTime: string
  /** Which directory of runs it looks after. */
  readonly place: string
}

/** What {@link endGroupsOf} found. */
export interface GroupsReport {
  readonly killed: number
  /** Pids of processes that cannot be killed. */
  readonly left: readonly number[]
}

/** The name of the group of a keeper, in which those of its jobs are. */
export function keeperGroupOf({ pid, startTime, place }: KeeperName): string {
  return [PREFIX, pid, startTime, pidNamespace(), place].join('-')
}

/** Ends what a keeper that is dead has left in the groups of an execution. */
export async function endGroupsOf(keeper: KeeperName, executionId: string): Promise<GroupsReport> {
  const base = ownGroup()
  if (base === undefined) return { killed: 0, left: [] }
  const path = join(base, keeperGroupOf(keeper))
  let killed = 0
  const left: number[] = []
  for (const name of namesIn(path).filter((one) => isOf(executionId, one))) {
    const ended = await endGroup(join(path, name))
    killed += ended.killed
    left.push(...ended.left)
  }
  removeGroup(path)
  return { killed, left }
}

/**
 * Ends what keepers that are dead have left in a group: all of it where they looked after the same runs; of others,
 * what holds nothing that lives.
 */
export async function endDeadGroups(base: string, place: string): Promise<void> {
  for (const name of namesIn(base)) {
    const keeper = parse(name)
    if (keeper === undefined || lives(keeper)) continue
    if (keeper.place === place) await endGroup(join(base, name))
    else removeGroup(join(base, name))
  }
}

function lives({ pid, startTime }: KeeperName): boolean {
  const entry = readProcess(pid)
  return entry !== undefined && isLive(entry) && entry.startTime === startTime
}

/** Of keepers in other namespaces of processes nothing is known, so they are none. */
function parse(name: string): KeeperName | undefined {
  const [pid, startTime, namespace, place] = name.startsWith(`${PREFIX}-`)
    ? name.slice(PREFIX.length + 1).split('-')
    : []
  if (startTime === undefined || place === undefined || namespace !== pidNamespace()) return undefined
  return { pid: Number(pid), startTime, place }
}

/** The name of the group of one run of an execution. */
export function runGroupOf(executionId: string, count: number): string {
  return `${executionId}.${count}`
}

function isOf(executionId: string, name: string): boolean {
  return name.slice(0, name.lastIndexOf('.')) === executionId
}

function pidNamespace(): string {
  return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? ''
}

function namesIn(group: string): string[] {
  try {
    return readdirSync(group, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
  } catch (error) {
    if (isGone(error)) return []
    // Without descriptors, for instance: nothing may be taken for dead.
    throw error
  }
}
