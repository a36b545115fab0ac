import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { putInPlace } from './remembered-place.ts'

/**
 * Puts a new file in the place of a stopped store and keeps the old one beside it. Returns the old one's new
 * path. A crash in between leaves the old or the new one at the path, never none.
 */
export function replaceStore(path: string, replacement: string): string {
  let kept = `${path}.before-repair`
  for (let number = 2; existsSync(kept); number += 1) kept = `${path}.before-repair-${number}`
  const { uid, gid, mode } = statSync(path)
  chmodSync(replacement, mode & 0o777)
  if (process.geteuid?.() === 0) chownSync(replacement, uid, gid)
  linkSync(path, kept)
  // Before the old name goes: a power cut keeps any of two changes that were not synced.
  syncDirectory(dirname(path))
  putInPlace(path, () => {
    renameSync(replacement, path)
    syncDirectory(dirname(path))
  })
  return kept
}

function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
