import { createReadStream } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { Failure, isFailure } from '@saltcod/cli-kit'
import { extract, type Header } from 'tar-stream'
import { EXIT } from '../exit-code.ts'
import { systemCode } from '../system-code.ts'

const EXECUTABLE = 0o100
const MAX_DEPTH = 256
/** Errors of the disk, and not of the archive. */
const FAULTS_OF_DISK = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EACCES', 'EPERM', 'EMFILE', 'ENFILE'])

/** What was unpacked. */
export interface UnpackedResults {
  readonly files: number
  readonly bytes: number
}

/**
 * Unpacks an archive of results into a directory that it makes, and that nobody else may write to: files and
 * directories only, none outside, each once. What the checksum of the archive does not confirm throws a `Failure`, and
 * so does an archive that wants anything else. Errors of the disk are thrown as they are.
 */
export async function unpackResults(archive: string, directory: string): Promise<UnpackedResults> {
  await mkdir(directory, { mode: 0o700 })
  const entries = extract()
  let files = 0
  let bytes = 0
  const unpacking = (async () => {
    for await (const entry of entries) {
      bytes += await write(directory, entry.header, entry as AsyncIterable<Buffer>)
      if (entry.header.type === 'file') files += 1
      entry.resume()
    }
  })()
  // The end of the stream is where the checksum is, which the archive's own end does not wait for.
  const reading = pipeline(createReadStream(archive), createGunzip(), entries)
  unpacking.catch((error: unknown) => entries.destroy(error as Error))
  const [unpacked, read] = await Promise.allSettled([unpacking, reading])
  // Each of them ends the other, which then only says that it was ended.
  const causes = [unpacked, read].flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []))
  const cause = causes.find((error) => isFailure(error) || isOfDisk(error)) ?? causes.at(-1)
  if (cause === undefined) return { files, bytes }
  if (isFailure(cause)) throw cause
  if (cause instanceof Error && FAULTS_OF_DISK.has(systemCode(cause) ?? '')) throw cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  throw new Failure(EXIT.failed, `the results are damaged, or no archive: ${reason}`, {
    hint: 'run the command again; they are fetched anew',
    cause,
  })
}

/** Tells whether the system refused something, though perhaps for the archive's sake. */
function isOfDisk(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}

async function write(directory: string, header: Header, content: AsyncIterable<Buffer>): Promise<number> {
  const path = pathOf(directory, header.name)
  if (header.type === 'directory') {
    await mkdir(path, { recursive: true, mode: 0o755 })
    return 0
  }
  if (header.type !== 'file') throw hostile(header.name, 'is neither a file nor a directory')
  await mkdir(dirname(path), { recursive: true, mode: 0o755 })
  let bytes = 0
  // Exclusive: nothing is written twice, or through anything.
  const file = await open(path, 'wx', ((header.mode ?? 0) & EXECUTABLE) === 0 ? 0o644 : 0o755)
  try {
    for await (const chunk of content) {
      await file.writeFile(chunk)
      bytes += chunk.length
    }
  } finally {
    await file.close()
  }
  return bytes
}

function pathOf(directory: string, name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  const leaves = name.startsWith('/') || parts.includes('..') || name.includes('\0')
  if (leaves || parts.length === 0) throw hostile(name, 'would lie outside')
  if (parts.length > MAX_DEPTH) throw hostile(name, 'lies too deep')
  return join(directory, ...parts)
}

function hostile(name: string, why: string): Failure {
  return new Failure(EXIT.failed, `the results have ${JSON.stringify(name.slice(0, 200))}, which ${why}`, {
    hint: 'nothing of them was unpacked; a node sends no such thing: see which one it is',
  })
}
