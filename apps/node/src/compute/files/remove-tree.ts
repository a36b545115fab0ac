import { chmod, lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

async function makeRemovable(path: string): Promise<void> {
  if (!(await lstat(path)).isDirectory()) return
  await chmod(path, 0o700)
  for (const name of await readdir(path)) await makeRemovable(join(path, name))
}

/** Removes a directory with all that a job may have left in it, also directories that it closed to writing. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true })
  } catch {
    await makeRemovable(path)
    await rm(path, { recursive: true, force: true })
  }
}
