import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { temporaryDirectory } from '../cli/binary.ts'

/** Makes a file system of a size such as `300m` for one test; `undefined` where this user may not mount one. */
export function smallDisk(size: string): string | undefined {
  const directory = join(temporaryDirectory(), 'disk')
  mkdirSync(directory)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', directory], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  onTestFinished(() => {
    execFileSync('umount', ['-l', directory])
  })
  return directory
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
