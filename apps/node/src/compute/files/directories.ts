import { mkdirSync, opendirSync } from 'node:fs'
import { lstat, mkdir, readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeDirectory } from '@saltcod/config'
import { systemCode } from '../../system-code.ts'
import { removeTree } from './remove-tree.ts'

/** A directory with more names may have been filled by a job, and is read beside. */
const FEW_NAMES = 16

/**
 * Makes an empty directory for this user alone; what is there is removed before. Its name is not made durable: what is
 * in it counts for nothing after a restart of the machine, unless whoever writes it sees to that. Made in place, since
 * to wake a thread takes five times as long.
 */
export async function makeFreshDirectory(path: string): Promise<void> {
  for (;;) {
    try {
      mkdirSync(path, { mode: 0o700 })
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

/**
 * Returns the names in a directory; where there are few, without a turn of the event loop. Throws what the system
 * says.
 */
export async function namesIn(path: string): Promise<readonly string[]> {
  const directory = opendirSync(path, { bufferSize: FEW_NAMES })
  const names: string[] = []
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      names.push(entry.name)
      if (names.length > FEW_NAMES) return await readdir(path)
    }
  } finally {
    directory.closeSync()
  }
  return names
}
