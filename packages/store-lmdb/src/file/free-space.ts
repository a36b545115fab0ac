import { statfsSync } from 'node:fs'

/** Bytes of the file system that a data file leaves free where nothing else is said. */
export const DEFAULT_LOW_SPACE_BYTES: number = 16 * 1024 * 1024

/** Address space that is mapped at first where nothing else is said. */
export const DEFAULT_MAP_BYTES: number = 1024 * 1024 * 1024

/** Bytes of the file system of a path that may be used, less what it keeps for others. */
export function spareBytes(path: string, lowSpaceBytes: number): number {
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize - lowSpaceBytes
}
