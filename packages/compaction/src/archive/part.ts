import { open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { StoreError } from '@saltcod/store-core'
import { type ArchivedJob, fromLines, jobOfLine, newestVersion, toLines } from './archived-job.ts'
import { explainFileError } from './durable-file.ts'
import { type IndexedJob, type ManifestPart, sha256 } from './manifest.ts'

/** Jobs are compressed together up to so many characters. */
const PART_CHARACTERS = 4 * 1024 * 1024
const compress = promisify(gzip)
const decompress = promisify(gunzip)

/** A part that is about to be written. */
export interface Part {
  readonly bytes: Buffer
  readonly jobs: readonly IndexedJob[]
}

/** A place in a segment. */
export interface SegmentPlace {
  readonly segment: string
  readonly offset: number
}

/** Cuts jobs into compressed parts, so that reading one job back does not read many others. */
export async function* inParts(jobs: readonly ArchivedJob[]): AsyncGenerator<Part> {
  let lines: string[] = []
  let characters = 0
  let indexed: IndexedJob[] = []
  const part = async (): Promise<Part> => ({ bytes: await compress(textOf(lines)), jobs: indexed })
  for (const job of jobs) {
    const added = toLines(job)
    indexed.push(indexJob(job, lines.length, added.length))
    for (const line of added) {
      lines.push(line)
      characters += line.length + 1
    }
    if (characters < PART_CHARACTERS) continue
    yield await part()
    lines = []
    characters = 0
    indexed = []
  }
  if (indexed.length > 0) yield await part()
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}

function indexJob(job: ArchivedJob, firstLine: number, lines: number): IndexedJob {
  const { id, namespace, name, state, revision, finishedAtMs } = newestVersion(job)
  return { id, namespace, name, state, revision, finishedAtMs, firstLine, lines }
}

/**
 * Reads the lines of a part. Throws `RECORD_CORRUPT` where its checksum is not that of the manifest, and what explains
 * a file that cannot be read.
 */
export async function readPart(
  directory: string,
  { segment, offset, length, sha256: expected }: ManifestPart,
): Promise<string[]> {
  const file = join(directory, segment)
  const bytes = await readStretch(file, offset, length).catch((error: unknown) => {
    throw explainFileError(error, file)
  })
  if (sha256(bytes) !== expected) {
    throw new StoreError('RECORD_CORRUPT', `${segment} is damaged between ${offset} and ${offset + length}`, {
      path: file,
      hint: 'restore the archive from a copy',
    })
  }
  return await linesOf(bytes)
}

/**
 * Finds out from a segment what the manifest said of the part that begins at a place and is the last one there.
 * Returns `null` where the segment ends before it; throws `RECORD_CORRUPT` where it holds no whole part there.
 */
export async function remakePart(
  directory: string,
  { segment, offset }: SegmentPlace,
): Promise<ManifestPart | null> {
  const file = join(directory, segment)
  const bytes = (await readFile(file)).subarray(offset)
  if (bytes.length === 0) return null
  try {
    const jobs = indexLines(await linesOf(bytes))
    const { mtimeMs } = await stat(file)
    const atMs = Math.floor(mtimeMs)
    return { segment, offset, length: bytes.length, sha256: sha256(bytes), atMs, jobs }
  } catch (error) {
    throw new StoreError('RECORD_CORRUPT', `${segment} is damaged behind ${offset}`, {
      path: file,
      cause: error,
    })
  }
}

async function linesOf(bytes: Buffer): Promise<string[]> {
  const text = await decompress(bytes)
  return text.toString().split('\n').slice(0, -1)
}

function indexLines(lines: readonly string[]): IndexedJob[] {
  const indexed: IndexedJob[] = []
  for (let first = 0; first < lines.length; ) {
    const id = jobOfLine(lines[first] ?? '')
    let after = first + 1
    while (after < lines.length && jobOfLine(lines[after] ?? '') === id) after += 1
    indexed.push(indexJob(fromLines(lines.slice(first, after)), first, after - first))
    first = after
  }
  return indexed
}

async function readStretch(path: string, offset: number, length: number): Promise<Buffer> {
  const file = await open(path, 'r')
  try {
    const bytes = Buffer.alloc(length)
    let read = 0
    while (read < length) {
      const step = await file.read(bytes, read, length - read, offset + read)
      if (step.bytesRead === 0) break
      read += step.bytesRead
    }
    return bytes.subarray(0, read)
  } finally {
    await file.close()
  }
}
