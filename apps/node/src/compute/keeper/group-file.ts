import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode } from '../../system-code.ts'

/**
 * Writes to a file of a cgroup. Some may not be read, and none can be made. Throws where there is none, or the kernel
 * refuses.
 */
export function writeGroupFile(group: string, name: string, value: string | number): void {
  const file = openSync(join(group, name), constants.O_WRONLY)
  try {
    writeSync(file, String(value))
  } finally {
    closeSync(file)
  }
}

/** Tells whether an error says that there is no such group, or none any more. */
export function isGone(error: unknown): boolean {
  // ENODEV: removed between the opening of one of its files and what was done with it.
  const code = systemCode(error)
  return code === 'ENOENT' || code === 'ENODEV'
}
