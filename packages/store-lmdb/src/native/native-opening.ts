import { closeSync } from 'node:fs'

import type { RootDatabase } from 'lmdb'
import { nativeError } from '../refusal.ts'
import { type EnvironmentOptions, openRoot } from './native-root.ts'
import type { NativeStats } from './native-types.ts'
import { openLockFile, proveDataFile } from './opening-proof.ts'

/** What is open where LMDB has a file open. */
export interface OpenedRoot {
  readonly root: RootDatabase<Buffer, Uint8Array>
  /** Absent where the lock file is of no use, or of none to others. */
  readonly lockFile: number | undefined
  readonly pageBytes: number
}

/** Opens a file after the proof that it can be opened. Throws a `StoreError`. */
export function openNative(options: EnvironmentOptions): OpenedRoot {
  const { path, readOnly, privateLock } = options
  proveDataFile(path, readOnly)
  const lockFile = privateLock === undefined ? openLockFile(path, readOnly) : undefined
  let root: RootDatabase<Buffer, Uint8Array> | undefined
  try {
    root = openRoot(options)
    return { root, lockFile, pageBytes: (root.getStats() as NativeStats).pageSize }
  } catch (error) {
    void root?.close()
    if (lockFile !== undefined) closeSync(lockFile)
    throw nativeError(path, 'LMDB cannot open it', error)
  }
}
