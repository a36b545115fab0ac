import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { temporaryDirectory } from './temporary-directory.ts'

/**
 * Makes a file system of a size such as `300m` for one test; `undefined` where this user may not mount one, or another
 * system has no such file systems; `files` is how many files, directories and links it takes. Throws where a mount
 * that is permitted fails, so that no test is left out unseen.
 */
export function smallDisk(size: string, files?: number): string | undefined {
  const directory = join(temporaryDirectory(), 'disk')
  mkdirSync(directory)
  return mountSmallDisk(size, directory, files) ? directory : undefined
}

/** Mounts a file system of a size at a directory until the test is over; false as {@link smallDisk} says. */
export function mountSmallDisk(size: string, directory: string, files?: number): boolean {
  if (process.platform !== 'linux') return false
  const limit = files === undefined ? '' : `,nr_inodes=${files}`
  const words = ['-t', 'tmpfs', '-o', `size=${size}${limit}`, 'tmpfs', directory]
  const { status, stderr, error } = spawnSync('mount', words, { encoding: 'utf8' })
  if (error !== undefined || /superuser|permitted|permission denied/i.test(stderr)) return false
  if (status !== 0) throw new Error(`A small disk cannot be mounted: ${stderr}`)
  onTestFinished(() => {
    execFileSync('umount', ['-l', directory])
  })
  return true
}

/** Takes all space that is left, into a file. */
export function fillDisk(path: string): void {
  const file = openSync(path, 'a')
  try {
    for (const bytes of [1024 * 1024, 4_096]) {
      const block = Buffer.alloc(bytes, 1)
      try {
        while (writeSync(file, block) === bytes);
      } catch {
        // It is full.
      }
    }
  } finally {
    closeSync(file)
  }
}
