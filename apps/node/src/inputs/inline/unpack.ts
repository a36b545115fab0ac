import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { extract, type Header } from 'tar-stream'
import { makeJobDirectory } from '../../compute/files/directories.ts'
import { isTaskError } from '../../compute/task-error.ts'
import type { InputFetch } from '../input-fetcher.ts'

const EXECUTABLE = 0o111
const MAX_DEPTH = 64
const FAULTS_OF_ARCHIVE = new Set(['EEXIST', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG'])

function entryPath(fetch: InputFetch, name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  if (name.startsWith('/') || parts.includes('..') || name.includes('\0') || parts.length > MAX_DEPTH) {
    throw fetch.fail('INPUT_INVALID', `packs ${JSON.stringify(name)}, which would lie outside or too deep`)
  }
  return join(fetch.hostPath, ...parts)
}

async function write(fetch: InputFetch, header: Header, content: AsyncIterable<Buffer>): Promise<void> {
  const path = entryPath(fetch, header.name)
  fetch.copy.budget.takeEntry()
  if (header.type === 'directory') {
    await makeJobDirectory(path)
    return
  }
  if (header.type !== 'file') {
    throw fetch.fail(
      'INPUT_INVALID',
      `packs ${JSON.stringify(header.name)}, which is neither a file nor a directory`,
    )
  }
  await makeJobDirectory(dirname(path))
  // Exclusive: an archive that names a file twice is refused, and nothing is written through.
  const file = await open(path, 'wx', ((header.mode ?? 0) & EXECUTABLE) === 0 ? 0o444 : 0o555)
  try {
    for await (const chunk of content) {
      fetch.copy.budget.takeBytes(chunk.length)
      await file.writeFile(chunk)
    }
  } finally {
    await file.close()
  }
}

/** Tells whether the machine is to blame: an archive may name a file twice, or take one for a directory. */
function isFaultOfDisk(error: unknown): boolean {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return false
  return !FAULTS_OF_ARCHIVE.has(String(error.code))
}

/** Unpacks a gzipped tar archive into a new directory: files and directories only, within the task's budget. */
export async function unpack(fetch: InputFetch, archive: Buffer): Promise<void> {
  await makeJobDirectory(fetch.hostPath)
  const entries = extract()
  const gunzip = createGunzip()
  gunzip.on('error', (error) => entries.destroy(error))
  Readable.from([archive]).pipe(gunzip).pipe(entries)
  try {
    for await (const entry of entries) {
      fetch.signal.throwIfAborted()
      await write(fetch, entry.header, entry as AsyncIterable<Buffer>)
      entry.resume()
    }
  } catch (error) {
    if (isTaskError(error) || fetch.signal.aborted || isFaultOfDisk(error)) throw error
    const what = error instanceof Error ? error.message : String(error)
    throw fetch.fail('INPUT_INVALID', `is no tar.gz archive that can be unpacked: ${what}`, error)
  } finally {
    gunzip.destroy()
    entries.destroy()
  }
}
