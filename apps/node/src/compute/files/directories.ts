import { lstat, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeDirectory } from '@saltcod/config'
import { systemCode } from '../../system-code.ts'
import { removeTree } from './remove-tree.ts'

/**
 * Makes an empty directory for this user alone; what is there is removed before. Its name is not made durable: what is
 * in it counts for nothing after a restart of the machine, unless whoever writes it sees to that.
 */
export async function makeFreshDirectory(path: string): Promise<void> {
  for (;;) {
    try {
      await mkdir(path, { mode: 0o700 })
      return
    } catch (error) {
      const code = systemCode(error)
      if (code === 'EEXIST') await removeTree(path)
      else if (code === 'ENOENT') makeDirectory(dirname(path))
      else throw error
    }
  }
}

/**
 * Makes a directory of a job's own where it is missing, and those above it, into which anybody may look; not durable
 * either. Throws what the system says of the one that cannot be made, where Node's own recursive mkdir says that it is
 * not there.
 */
export async function makeJobDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o755 })
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' && dirname(path) !== path) {
      await makeJobDirectory(dirname(path))
      await mkdir(path, { mode: 0o755 })
    } else if (code !== 'EEXIST' || !(await lstat(path)).isDirectory()) throw error
  }
}
