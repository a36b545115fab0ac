import { chmodSync, chownSync, existsSync, linkSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { putInPlace } from './remembered-place.ts'
import { syncPath } from './sync-path.ts'

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
  syncPath(dirname(path))
  putInPlace(path, () => {
    renameSync(replacement, path)
    syncPath(dirname(path))
  })
  return kept
}
