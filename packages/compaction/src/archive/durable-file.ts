import { type FileHandle, mkdir, open, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StoreError } from '@saltcod/store-core'

/**
 * Adds bytes at a place of a file, which is cut off there first, and resolves when they are on disk. Where it
 * fails, what was begun is cut off again.
 */
export async function appendDurably(path: string, offset: number, bytes: Uint8Array): Promise<void> {
  await change(path, offset, (file) => writeAll(file, bytes, offset))
  if (offset === 0) await syncPath(dirname(path))
}

/**
 * Adds a line as {@link appendDurably} does, and its newline only when all else of it is on disk: a disk takes the
 * blocks of one write in any order, so the newline says that the line is whole.
 */
export async function appendLine(path: string, offset: number, line: Uint8Array): Promise<void> {
  await change(path, offset, async (file) => {
    await writeAll(file, line, offset)
    await file.sync()
    await writeAll(file, Buffer.from('\n'), offset + line.length)
  })
}

/** Cuts off what is behind a place of a file, and resolves when that and all before it is on disk. */
export async function cutDurably(path: string, offset: number): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.truncate(offset)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function change(
  path: string,
  offset: number,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const file = await open(path, offset === 0 ? 'w' : 'r+', 0o600)
  try {
    await file.truncate(offset)
    await write(file)
    await file.sync()
  } catch (error) {
    await file.truncate(offset).catch(() => undefined)
    if (offset === 0) await rm(path, { force: true }).catch(() => undefined)
    throw error
  } finally {
    await file.close()
  }
}

/**
 * Makes a directory and those above it where they are missing, with durable names. Node's own recursive mkdir says
 * ENOENT on a full or read-only disk too.
 */
export async function makeDirectoryDurably(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory() === true) return
  if (dirname(path) !== path) await makeDirectoryDurably(dirname(path))
  // Where another process was faster, or a file is there, whatever comes next tells.
  await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  })
  await syncPath(dirname(path))
}

async function writeAll(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    const step = await file.write(bytes, written, bytes.length - written, offset + written)
    written += step.bytesWritten
  }
}

/** Resolves when a file, or the names in a directory, are on disk. */
export async function syncPath(path: string): Promise<void> {
  const opened = await open(path, 'r')
  try {
    await opened.sync()
  } finally {
    await opened.close()
  }
}

/** Puts into words what a file operation of an archive failed with; other errors come back as they are. */
export function explainFileError(error: unknown, path: string): unknown {
  const code =
    error instanceof Error && 'code' in error && 'syscall' in error ? String(error.code) : undefined
  if (code === undefined) return error
  const options = { path, cause: error }
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new StoreError('STORE_FULL', `there is no room left for the archive ${path}`, {
        ...options,
        hint: 'make room; nothing was removed from the store that is not in the archive',
      })
    case 'ENOENT':
      return new StoreError('STORE_NOT_FOUND', `${path} holds no archive, or a part of it is gone`, {
        ...options,
        hint: 'give the directory of an archive, whole',
      })
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new StoreError('STORE_PERMISSION', `the archive ${path} cannot be used: ${code}`, {
        ...options,
        hint: 'see to the rights of the directory',
      })
    case 'EMFILE':
    case 'ENFILE':
      return new StoreError('STORE_BUSY', `the archive ${path} cannot be used now: too many files are open`, {
        ...options,
        hint: 'raise the limit of open files (LimitNOFILE, ulimit -n), or try again when fewer are open',
      })
    case 'ENOTDIR':
    case 'EEXIST':
    case 'EISDIR':
      return new StoreError('STORE_FOREIGN', `${path} is no directory of an archive`, {
        ...options,
        hint: 'give a directory; nothing was written',
      })
    default:
      return new StoreError('STORE_DAMAGED', `the archive ${path} cannot be used: ${code}`, {
        ...options,
        hint: 'see to the disk',
      })
  }
}
