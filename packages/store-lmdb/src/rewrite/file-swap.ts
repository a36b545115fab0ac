import { linkSync, renameSync, writeFileSync } from 'node:fs'
import { removeFile } from '../file/file-removal.ts'
import { replaceLockFile } from '../file/reader-table.ts'
import { rewritePathOf } from '../file/rewrite-path.ts'
import type { StorePath } from '../file/store-path.ts'
import { syncPath } from '../file/sync-path.ts'
import type { Environment } from '../native/environment.ts'

/** How far an exchange has come. */
type SwapStep = 'closed' | 'linked' | 'exchanged'

/** Marks, on disk, that files are about to be exchanged. From then on readers keep what they have open. */
export function announceSwap(paths: StorePath): void {
  writeFileSync(rewritePathOf(paths).marker, '', { mode: 0o600 })
  syncPath(paths.directory)
}

/** Takes the mark away. */
export function endSwap(paths: StorePath): void {
  removeFile(rewritePathOf(paths).marker)
}

/**
 * Puts the new file in the place of the old one and opens it, all in one turn, so that nobody in this process
 * reads in between. The new file must be on disk and closed, and nothing may be written meanwhile. `verify` throws
 * where the new file is not what it should be. Where a step fails the old file is put back and opened, and the
 * error is thrown; where not even that works, `onFailure` gets the reason first.
 *
 * The lock file goes last: a process that takes the new one then finds the new data file, or none.
 */
export function swapFiles(
  paths: StorePath,
  environment: Environment,
  verify: () => void,
  onFailure: (error: unknown) => void,
): void {
  const { fresh, previous } = rewritePathOf(paths)
  let reached: SwapStep = 'closed'
  try {
    environment.closeNow()
    linkSync(paths.data, previous)
    reached = 'linked'
    renameSync(fresh.data, paths.data)
    reached = 'exchanged'
    // The old one belongs to the readers of the old file: LMDB takes the newest transaction from it.
    renameSync(fresh.lock, paths.lock)
    syncPath(paths.directory)
    environment.reopen()
    verify()
  } catch (error) {
    try {
      goBack(paths, environment, reached)
    } catch (second) {
      onFailure(second)
    }
    throw error
  }
  try {
    // Before anything is acknowledged: whoever finds it after a power cut may go back to it.
    removeFile(previous)
    syncPath(paths.directory)
  } catch (error) {
    onFailure(error)
    throw error
  }
}

function goBack(paths: StorePath, environment: Environment, reached: SwapStep): void {
  const { previous } = rewritePathOf(paths)
  environment.closeNow()
  if (reached === 'exchanged') {
    replaceLockFile(paths)
    renameSync(previous, paths.data)
  } else if (reached === 'linked') removeFile(previous)
  syncPath(paths.directory)
  environment.reopen()
}
