import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { MOUNT_TABLE, unescaped } from '../files/mount-table.ts'
import { isGone } from './group-file.ts'

/**
 * The group that a node and its helpers move into where their own is to have groups with controllers: such a one holds
 * no processes itself.
 */
export const LEAF = 'saltcod-node'

/**
 * Returns the directory of the cgroup (v2) that this process is in; undefined where it sees none. Throws where nothing
 * can be read.
 */
export function currentGroup(): string | undefined {
  try {
    return locate(readFileSync('/proc/self/cgroup', 'utf8'), readFileSync(MOUNT_TABLE, 'utf8'))
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

/** Returns the directory of the cgroup that was given to this node; undefined where it sees none. */
export function ownGroup(): string | undefined {
  const current = currentGroup()
  return current !== undefined && basename(current) === LEAF ? dirname(current) : current
}

/**
 * Finds the directory of a cgroup by what the kernel says of a process and of the mounts that it sees; undefined where
 * none shows it.
 */
export function locate(groups: string, mounts: string): string | undefined {
  const path = groups
    .split('\n')
    .find((line) => line.startsWith('0::'))
    ?.slice('0::'.length)
  // Above the root of its namespace of groups, which it cannot reach.
  if (path === undefined || path.split('/').includes('..')) return undefined
  for (const line of mounts.split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    if (!after.startsWith('cgroup2 ')) continue
    const [root = '', place = ''] = before.split(' ').slice(3, 5).map(unescaped)
    const below = root === '/' ? path : path.slice(root.length)
    if (root === '/' || path === root || path.startsWith(`${root}/`)) return join(place, below)
  }
  return undefined
}
