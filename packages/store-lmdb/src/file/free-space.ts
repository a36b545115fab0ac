import { statfsSync } from 'node:fs'

/** Bytes of the file system of a path that may be used, less what it keeps for others. */
export function spareBytes(path: string, lowSpaceBytes: number): number {
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize - lowSpaceBytes
}
