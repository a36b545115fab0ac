import { chmod, lstat, readdir, readFile, realpath, rename, rm, rmdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { systemCode } from '../../system-code.ts'
import { MOUNT_TABLE, unescaped } from './mount-table.ts'

/**
 * Directories with a longer path are moved up before they are removed: no call of the system takes one of 4,096 bytes.
 */
const LONG_PATH_BYTES = 2_048

/** Where something is mounted in or below a directory: what is there is another's. */
async function mountsBelow(top: string): Promise<ReadonlySet<string>> {
  const table = await readFile(MOUNT_TABLE, 'utf8').catch(() => '')
  const points = table.split('\n').map((line) => unescaped(line.split(' ')[4] ?? ''))
  return new Set(points.filter((point) => point === top || point.startsWith(`${top}/`)))
}

/**
 * Makes all that lies in a directory removable, but for what is mounted there: opens what was closed, and brings up
 * what lies too deep. What goes meanwhile is no matter: a removal that has failed at one entry is still at others.
 */
async function makeRemovable(top: string): Promise<void> {
  let moved = 0
  const real = await realpath(top)
  let mounted = await mountsBelow(real)
  const queue = [top]
  const open = async (path: string): Promise<void> => {
    if (!(await lstat(path)).isDirectory() || mounted.has(join(real, relative(top, path)))) return
    await chmod(path, 0o700)
    let place = path
    if (path !== top && Buffer.byteLength(path) > LONG_PATH_BYTES) {
      place = await freeName(top, moved)
      moved += 1
      await rename(path, place)
      // What is mounted in it has moved along.
      mounted = await mountsBelow(real)
    }
    for (const name of await readdir(place)) queue.push(join(place, name))
  }
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) await open(path).catch(unlessGone)
}

function unlessGone(error: unknown): void {
  if (!isGone(error)) throw error
}

function isGone(error: unknown): boolean {
  return systemCode(error) === 'ENOENT'
}

async function freeName(top: string, first: number): Promise<string> {
  for (let number = first; ; number += 1) {
    const name = join(top, `deep-${number}`)
    const taken = await lstat(name).then(
      () => true,
      () => false,
    )
    if (!taken) return name
  }
}

async function isEmptyAndRemoved(path: string): Promise<boolean> {
  return await rmdir(path).then(() => true, isGone)
}

/**
 * Removes a directory with all that a job may have left in it, also directories that it closed to writing or that lie
 * very deep.
 */
export async function removeTree(path: string): Promise<void> {
  try {
    // Most that a run leaves is empty, or not there any more.
    if (await isEmptyAndRemoved(path)) return
    await rm(path, { recursive: true, force: true })
  } catch {
    await makeRemovable(path)
    await rm(path, { recursive: true, force: true })
  }
}
