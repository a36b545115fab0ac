import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StoreError } from '@saltcod/store-core'

/**
 * Adds bytes at a place of a file, which is cut off there first, and resolves when they are on disk. Where it
 * fails, what was begun is cut off again. Throws `STORE_FULL` where there is no room.
 */
export async function appendDurably(path: string, offset: number, bytes: Uint8Array): Promise<void> {
  const file = await open(path, offset === 0 ? 'w' : 'r+', 0o600)
  try {
    await file.truncate(offset)
    await writeAll(file, bytes, offset)
    await file.sync()
  } catch (error) {
    await file.truncate(offset).catch(() => undefined)
    throw explain(error, path)
  } finally {
    await file.close()
  }
  if (offset === 0) await syncDirectory(dirname(path))
}

async function writeAll(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    const step = await file.write(bytes, written, bytes.length - written, offset + written)
    written += step.bytesWritten
  }
}

/** Makes the names in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

function explain(error: unknown, path: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error
  return new StoreError('STORE_FULL', `there is no room left for the archive ${path}`, {
    path,
    cause: error,
    hint: 'make room; nothing was removed from the store that is not in the archive',
  })
}
