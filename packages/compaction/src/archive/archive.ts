import { open, readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { checkFields, type Fields, StoreError } from '@saltcod/store-core'
import { type ArchivedJob, fromLines, newestVersion, toLines } from './archived-job.ts'
import { appendDurably, explainFileError, makeDirectory, syncDirectory } from './durable-file.ts'
import {
  type ArchiveEntry,
  EMPTY_MANIFEST,
  foreignManifest,
  MANIFEST_HEADER,
  MANIFEST_NAME,
  type ManifestEnd,
  type ManifestPart,
  manifestLine,
  readManifest,
  sha256,
} from './manifest.ts'

/** Takes jobs before they are removed. */
export interface ArchiveWriter {
  /** Adds jobs, and resolves when they are on disk. Rejects with `STORE_FULL`, `STORE_READ_ONLY`, `STORE_PERMISSION`, `STORE_DAMAGED`; then none can be relied on. */
  append(jobs: readonly ArchivedJob[]): Promise<void>
}

/** How much an archive holds. */
export interface ArchiveTotals {
  /** Copies of jobs; one that was archived twice counts twice. */
  readonly jobs: number
  readonly segments: number
  /** Compressed, without the manifest. */
  readonly bytes: number
}

/** A directory of jobs that left their store. */
export interface Archive extends ArchiveWriter {
  /** The directory, as an absolute path. */
  readonly path: string
  /** How much it held when it was opened, and what was added since. */
  readonly totals: ArchiveTotals
  /** Returns a job as it was last archived; `null` where there is none. Throws `RECORD_CORRUPT`, `STORE_DAMAGED`. */
  get(jobId: string): Promise<ArchivedJob | null>
  /** Yields every entry, oldest first; a job that was archived twice comes twice. Throws `STORE_DAMAGED`. */
  list(): AsyncIterableIterator<ArchiveEntry>
  /**
   * Yields every entry with a way to read its job, oldest first unless `reverse` is set; what is not read costs nothing but
   * its line in the manifest. Throws `STORE_DAMAGED`, and from `job()` `RECORD_CORRUPT`.
   */
  read(options?: { readonly reverse?: boolean }): AsyncIterableIterator<{
    readonly entry: ArchiveEntry
    readonly job: () => Promise<ArchivedJob>
  }>
  /** Reads everything and compares checksums; resolves with what is wrong, in words. */
  verify(): Promise<{ readonly jobs: number; readonly bytes: number; readonly problems: readonly string[] }>
}

/** Options of {@link openArchive}. */
export interface ArchiveOptions {
  /** Changes nothing. Default false. */
  readonly readOnly?: boolean
  /** A segment that has grown beyond it is followed by the next one. Default 64 MiB. */
  readonly segmentBytes?: number
}

const OPTION_FIELDS: Fields<ArchiveOptions> = { readOnly: true, segmentBytes: true }

const DEFAULT_SEGMENT_BYTES = 64 * 1024 * 1024
/** Jobs are compressed together up to so many characters. */
const PART_CHARACTERS = 4 * 1024 * 1024
const compress = promisify(gzip)
const decompress = promisify(gunzip)

/**
 * Opens an archive, or makes one. Only one process may write to it at a time; any number may read. What a
 * process that died had not finished is cut off by the next write. Throws `STORE_NOT_FOUND` (reading where there is none),
 * `STORE_FOREIGN`, `STORE_DAMAGED`, `STORE_PERMISSION`, `STORE_FULL`.
 */
export async function openArchive(directory: string, options: ArchiveOptions = {}): Promise<Archive> {
  checkFields('openArchive', options, OPTION_FIELDS)
  const { readOnly = false, segmentBytes = DEFAULT_SEGMENT_BYTES } = options
  const path = resolve(directory)
  try {
    if (!readOnly) await make(path)
    const archive = new DirectoryArchive(path, readOnly, segmentBytes)
    await archive.findEnd()
    return archive
  } catch (error) {
    throw explainFileError(error, path)
  }
}

async function make(path: string): Promise<void> {
  const manifest = join(path, MANIFEST_NAME)
  const size = (await sizeOf(manifest)) ?? 0
  if (size >= EMPTY_MANIFEST.bytes) return
  // Only the beginning of our own first line is what a process left that died while it made the archive.
  if (size > 0 && !MANIFEST_HEADER.startsWith(await readFile(manifest, 'latin1')))
    throw foreignManifest(manifest)
  await makeDirectory(path)
  await syncDirectory(dirname(path))
  await appendDurably(manifest, 0, Buffer.from(`${MANIFEST_HEADER}\n`))
}

class DirectoryArchive implements Archive {
  readonly path: string
  readonly #manifest: string
  readonly #readOnly: boolean
  readonly #segmentBytes: number
  #end: ManifestEnd = EMPTY_MANIFEST
  #segment = 1
  /** Where the next part begins in the segment. */
  #offset = 0
  #queue: Promise<void> = Promise.resolve()
  #totals: ArchiveTotals = { jobs: 0, segments: 0, bytes: 0 }

  constructor(path: string, readOnly: boolean, segmentBytes: number) {
    this.path = path
    this.#manifest = join(path, MANIFEST_NAME)
    this.#readOnly = readOnly
    this.#segmentBytes = segmentBytes
  }

  get totals(): ArchiveTotals {
    return this.#totals
  }

  async findEnd(): Promise<void> {
    for await (const { part, end } of readManifest(this.#manifest)) {
      this.#end = end
      this.#add(part)
      this.#segment = numberOf(part.segment)
      this.#offset = part.offset + part.length
    }
    const size = await sizeOf(join(this.path, segmentName(this.#segment)))
    // A segment that lost its end must not be written over: what is left of it may still be read.
    if (this.#offset > 0 && (size ?? 0) < this.#offset) this.#nextSegment()
  }

  async append(jobs: readonly ArchivedJob[]): Promise<void> {
    if (this.#readOnly) {
      throw new StoreError('STORE_READ_ONLY', `the archive ${this.path} was opened for reading`, {
        path: this.path,
      })
    }
    const turn = this.#queue
      .then(async () => {
        for (const part of inParts(jobs)) await this.#write(part)
      })
      .catch((error: unknown) => {
        throw explainFileError(error, this.path)
      })
    this.#queue = turn.catch(() => undefined)
    await turn
  }

  /** First the part, then the line that tells of it: what no line tells of does not exist. */
  async #write({ text, jobs }: Part): Promise<void> {
    if ((await sizeOf(this.#manifest)) !== this.#end.bytes) await this.#refuseOtherWriter()
    const bytes = await compress(text)
    if (this.#offset > this.#segmentBytes) this.#nextSegment()
    const segment = segmentName(this.#segment)
    await appendDurably(join(this.path, segment), this.#offset, bytes)
    const part: ManifestPart = {
      segment,
      offset: this.#offset,
      length: bytes.length,
      sha256: sha256(bytes),
      atMs: Date.now(),
      jobs,
    }
    const line = Buffer.from(`${manifestLine(part, this.#end)}\n`)
    await appendDurably(this.#manifest, this.#end.bytes, line)
    this.#end = { bytes: this.#end.bytes + line.length, sha256: sha256(line.subarray(0, -1)) }
    this.#offset += bytes.length
    this.#add(part)
  }

  #add({ jobs, offset, length }: ManifestPart): void {
    const totals = this.#totals
    this.#totals = {
      jobs: totals.jobs + jobs.length,
      segments: totals.segments + (offset === 0 ? 1 : 0),
      bytes: totals.bytes + length,
    }
  }

  /** More whole lines than this process wrote are somebody else's; a torn one is a dead process's. */
  async #refuseOtherWriter(): Promise<void> {
    let end = EMPTY_MANIFEST
    for await (const read of readManifest(this.#manifest)) end = read.end
    if (end.bytes === this.#end.bytes && end.sha256 === this.#end.sha256) return
    throw new StoreError('STORE_LOCKED', `another process writes to the archive ${this.path}`, {
      path: this.path,
      hint: 'let only one process write to an archive',
    })
  }

  #nextSegment(): void {
    this.#segment += 1
    this.#offset = 0
  }

  async get(jobId: string): Promise<ArchivedJob | null> {
    let found: { part: ManifestPart; first: number; lines: number } | null = null
    for await (const { part } of readManifest(this.#manifest)) {
      const job = part.jobs.findLast(({ id }) => id === jobId)
      if (job !== undefined) found = { part, first: job.firstLine, lines: job.lines }
    }
    if (found === null) return null
    const lines = await this.#readPart(found.part)
    return fromLines(lines.slice(found.first, found.first + found.lines))
  }

  async *list(): AsyncIterableIterator<ArchiveEntry> {
    for await (const { part } of readManifest(this.#manifest)) {
      for (const indexed of part.jobs) yield entryOf(part, indexed)
    }
  }

  async *read({ reverse = false }: { readonly reverse?: boolean } = {}): AsyncIterableIterator<{
    readonly entry: ArchiveEntry
    readonly job: () => Promise<ArchivedJob>
  }> {
    for await (const part of this.#parts(reverse)) {
      let lines: Promise<string[]> | undefined
      for (const indexed of reverse ? [...part.jobs].reverse() : part.jobs) {
        const { firstLine, lines: count } = indexed
        const job = async (): Promise<ArchivedJob> => {
          lines ??= this.#readPart(part)
          return fromLines((await lines).slice(firstLine, firstLine + count))
        }
        yield { entry: entryOf(part, indexed), job }
      }
    }
  }

  async *#parts(reverse: boolean): AsyncGenerator<ManifestPart> {
    const kept: ManifestPart[] = []
    for await (const { part } of readManifest(this.#manifest)) {
      if (reverse) kept.push(part)
      else yield part
    }
    yield* kept.reverse()
  }

  async verify(): Promise<{ jobs: number; bytes: number; problems: string[] }> {
    const sum = { jobs: 0, bytes: 0, problems: [] as string[] }
    try {
      for await (const { part } of readManifest(this.#manifest)) {
        sum.jobs += part.jobs.length
        sum.bytes += part.length
        await this.#readPart(part).catch((error: unknown) => sum.problems.push(messageOf(error)))
      }
    } catch (error) {
      sum.problems.push(messageOf(error))
    }
    return sum
  }

  async #readPart({ segment, offset, length, sha256: expected }: ManifestPart): Promise<string[]> {
    const file = join(this.path, segment)
    const bytes = await readStretch(file, offset, length).catch((error: unknown) => {
      throw explainFileError(error, file)
    })
    if (sha256(bytes) !== expected) {
      throw new StoreError(
        'RECORD_CORRUPT',
        `${segment} is damaged between ${offset} and ${offset + length}`,
        {
          path: join(this.path, segment),
          hint: 'restore the archive from a copy',
        },
      )
    }
    const text = await decompress(bytes)
    return text.toString().split('\n').slice(0, -1)
  }
}

function entryOf(part: ManifestPart, indexed: ManifestPart['jobs'][number]): ArchiveEntry {
  const { firstLine: _first, lines: _lines, ...entry } = indexed
  return { ...entry, archivedAtMs: part.atMs }
}

interface Part {
  readonly text: string
  readonly jobs: ManifestPart['jobs']
}

/** Cuts jobs into parts, so that reading one job back does not read many others. */
function* inParts(jobs: readonly ArchivedJob[]): Generator<Part> {
  let texts: string[] = []
  let characters = 0
  let lineNumber = 0
  let indexed: ManifestPart['jobs'][number][] = []
  for (const job of jobs) {
    const lines = toLines(job)
    const { id, namespace, name, state, revision, finishedAtMs } = newestVersion(job)
    indexed.push({
      id,
      namespace,
      name,
      state,
      revision,
      finishedAtMs,
      firstLine: lineNumber,
      lines: lines.length,
    })
    lineNumber += lines.length
    const text = `${lines.join('\n')}\n`
    texts.push(text)
    characters += text.length
    if (characters < PART_CHARACTERS) continue
    yield { text: texts.join(''), jobs: indexed }
    texts = []
    characters = 0
    lineNumber = 0
    indexed = []
  }
  if (indexed.length > 0) yield { text: texts.join(''), jobs: indexed }
}

function segmentName(number: number): string {
  return `segment-${String(number).padStart(6, '0')}.ndjson.gz`
}

function numberOf(segment: string): number {
  return Number(/^segment-(\d+)\.ndjson\.gz$/.exec(segment)?.[1] ?? 1)
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

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
