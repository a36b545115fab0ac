import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a directory, and those above it, where they are missing, with durable names; for this user alone unless
 * another mode is given. Throws what the system says of the one that cannot be made: Node's own recursive mkdir says
 * of each that it is not there, and does not return for a path like /proc/x.
 */
export function makeDirectory(path: string, mode = 0o700): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return
  if (dirname(path) !== path) makeDirectory(dirname(path), mode)
  try {
    mkdirSync(path, { mode })
    syncDirectory(dirname(path))
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    if (!isThere || statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error
  }
}

/** Returns the symbolic link in a path, or at its end, that leads nowhere; `undefined` where there is none. */
export function deadLinkAt(path: string): string | undefined {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return undefined
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return path
  return dirname(path) === path ? undefined : deadLinkAt(dirname(path))
}

/** Makes the names in a directory durable. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
