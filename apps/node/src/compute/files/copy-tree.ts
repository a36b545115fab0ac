import { isUtf8 } from 'node:buffer'
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../../system-code.ts'
import type { CopyBudget } from './copy-budget.ts'
import { openEntry, pathOfHandle } from './open-inside.ts'

const CHUNK_BYTES = 1024 * 1024
const MAX_DEPTH = 64
const EXECUTABLE = 0o111

/** How a tree is copied. */
export interface TreeCopy {
  readonly budget: CopyBudget
  /** True: everything is on disk before the copy resolves. */
  readonly durable: boolean
  readonly signal?: AbortSignal | undefined
  /**
   * Asked about an entry that is neither file nor directory, or cannot be opened: answers with another open
   * file to take instead, or undefined to leave it out, or throws.
   */
  readonly odd: (
    parent: FileHandle,
    name: string,
    path: string,
    reason: string,
  ) => Promise<FileHandle | undefined>
}

/** Copies an open regular file to a new path; an executable one stays so, nobody may write it. */
export async function copyFile(source: FileHandle, destination: string, copy: TreeCopy): Promise<void> {
  copy.budget.takeEntry()
  const { mode } = await source.stat()
  const target = await open(destination, 'wx', (mode & EXECUTABLE) === 0 ? 0o444 : 0o555)
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    for (let at = 0; ; ) {
      copy.signal?.throwIfAborted()
      const { bytesRead } = await source.read(chunk, 0, CHUNK_BYTES, at)
      if (bytesRead === 0) break
      copy.budget.takeBytes(bytesRead)
      await target.writeFile(chunk.subarray(0, bytesRead))
      at += bytesRead
    }
    if (copy.durable) await target.sync()
  } finally {
    await target.close()
  }
}

/** Copies what is in an open directory into an existing one, following no links. */
export async function copyDirectory(
  source: FileHandle,
  destination: string,
  copy: TreeCopy,
  path = '',
  depth = 0,
): Promise<void> {
  if (depth > MAX_DEPTH) throw new Error(`${path} lies more than ${MAX_DEPTH} directories deep`)
  const names = await readdir(pathOfHandle(source), 'buffer')
  for (const bytes of names.sort((a, b) => Buffer.compare(a, b))) {
    const name = bytes.toString()
    const entryPath = join(path, name)
    const entry = isUtf8(bytes)
      ? await openOrAsk(source, name, entryPath, copy)
      : await copy.odd(source, name, entryPath, 'has a name that is not UTF-8')
    if (entry === undefined) continue
    try {
      const status = await entry.stat()
      if (status.isDirectory()) {
        copy.budget.takeEntry()
        await mkdir(join(destination, name), { mode: 0o755 })
        await copyDirectory(entry, join(destination, name), copy, entryPath, depth + 1)
      } else {
        await copyFile(entry, join(destination, name), copy)
      }
    } finally {
      await entry.close()
    }
  }
  if (copy.durable) await syncDirectory(destination)
}

async function openOrAsk(
  parent: FileHandle,
  name: string,
  path: string,
  copy: TreeCopy,
): Promise<FileHandle | undefined> {
  let entry: FileHandle
  try {
    entry = await openEntry(parent, name)
  } catch (error) {
    return await copy.odd(parent, name, path, openProblem(error))
  }
  const status = await entry.stat()
  if (status.isFile() || status.isDirectory()) return entry
  await entry.close()
  return await copy.odd(parent, name, path, 'is neither a file nor a directory')
}

/** Says in words why a file could not be opened. */
export function openProblem(error: unknown): string {
  const code = systemCode(error)
  if (code === 'ELOOP') return 'is a symbolic link'
  if (code === 'ENOENT') return 'does not exist'
  if (code === 'EACCES' || code === 'EPERM') return 'may not be read by the node'
  if (code === 'ENXIO') return 'is neither a file nor a directory'
  return `cannot be opened (${String(code)})`
}

/** Makes the names in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  // A job may have put a pipe in its place, which would hold up whoever opens it.
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
