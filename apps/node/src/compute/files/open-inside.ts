import { constants } from 'node:fs'
import { type FileHandle, open, readlink } from 'node:fs/promises'
import { sep } from 'node:path'

/** Tells whether a path is a directory or lies in it; both absolute and real. */
export function isInside(directory: string, path: string): boolean {
  const prefix = directory.endsWith(sep) ? directory : directory + sep
  return path === directory || path.startsWith(prefix)
}

/** The path that stands for an open directory or file; what lies there cannot be swapped for something else. */
export function pathOfHandle(handle: FileHandle): string {
  return `/proc/self/fd/${handle.fd}`
}

/** Where an open file really lies. */
export async function realPathOf(handle: FileHandle): Promise<string> {
  return await readlink(pathOfHandle(handle))
}

/**
 * Opens a file or directory for reading without following a link in its last part, and without waiting for
 * a pipe's other end. A link fails with `ELOOP`.
 */
export async function openPlain(path: string): Promise<FileHandle> {
  return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
}

/** Opens an entry of an open directory, as {@link openPlain}. */
export async function openEntry(directory: FileHandle, name: string): Promise<FileHandle> {
  return await openPlain(`${pathOfHandle(directory)}/${name}`)
}
