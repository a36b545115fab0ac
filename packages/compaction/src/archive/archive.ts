import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { isStoreError, StoreError } from '@saltcod/store-core'
import { checkFields, type Fields } from '@saltcod/store-core/backend'
import { type ArchivedJob, fromLines } from './archived-job.ts'
import {
  appendDurably,
  appendLine,
  cutDurably,
  explainFileError,
  makeDirectoryDurably,
  syncPath,
} from './durable-file.ts'
import {
  type ArchiveEntry,
  damagedManifest,
  EMPTY_MANIFEST,
  foreignManifest,
  MANIFEST_HEADER,
  MANIFEST_NAME,
  type ManifestEnd,
  type ManifestPart,
  type ManifestTail,
  manifestLine,
  readManifest,
  sha256,
} from './manifest.ts'
import { inParts, type Part, readPart, remakePart } from './part.ts'

/** Takes jobs before they are removed. */
export interface ArchiveWriter {
  /**
   * Adds jobs, and resolves when they are on disk. Rejects with `STORE_FULL`, `STORE_READ_ONLY`, `STORE_PERMISSION`,
   * `STORE_DAMAGED`; then none can be relied on.
   */
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
   * Yields every entry with a way to read its job, oldest first unless `reverse` is set; what is not read costs
   * nothing but its line in the manifest. Throws `STORE_DAMAGED`, and from `job()` `RECORD_CORRUPT`.
   */
  read(options?: { readonly reverse?: boolean }): AsyncIterableIterator<{
    readonly entry: ArchiveEntry
    readonly job: () => Promise<ArchivedJob>
  }>
  /** Reads everything and compares checksums; resolves with what is wrong, in words. */
  verify(): Promise<{ readonly jobs: number; readonly bytes: number; readonly problems: readonly string[] }>
}

/** Something that an operator should know about an archive. */
export interface ArchiveNotice {
  /**
   * `ARCHIVE_TAIL_CUT`: an unfinished line was cut off. `ARCHIVE_LINE_REMADE`: a torn one was made again from its
   * segment. `ARCHIVE_LINE_TORN`: there is a torn one, and the archive was opened for reading.
   */
  readonly code: 'ARCHIVE_TAIL_CUT' | 'ARCHIVE_LINE_REMADE' | 'ARCHIVE_LINE_TORN'
  readonly message: string
}

/** Options of {@link openArchive}. */
export interface ArchiveOptions {
  /** Changes nothing. Default false. */
  readonly readOnly?: boolean
  /** A segment that has grown beyond it is followed by the next one. Default 64 MiB. */
  readonly segmentBytes?: number
  /** Gets what an operator should know. The package itself logs nothing. */
  readonly onNotice?: (notice: ArchiveNotice) => void
}

const OPTION_FIELDS: Fields<ArchiveOptions> = { readOnly: true, segmentBytes: true, onNotice: true }

const DEFAULT_SEGMENT_BYTES = 64 * 1024 * 1024

/**
 * Opens an archive, or makes one. Only one process may write to it at a time; any number may read. What a process or a
 * machine that died had not finished is cut off, with a notice. Throws `STORE_NOT_FOUND` (reading where there is
 * none), `STORE_FOREIGN`, `STORE_DAMAGED` (with the number of the line), `STORE_PERMISSION`, `STORE_FULL`.
 */
export async function openArchive(directory: string, options: ArchiveOptions = {}): Promise<Archive> {
  checkFields('openArchive', options, OPTION_FIELDS)
  const { readOnly = false, segmentBytes = DEFAULT_SEGMENT_BYTES, onNotice } = options
  const path = resolve(directory)
  try {
    if (!readOnly) await make(path)
    const archive = new DirectoryArchive(path, readOnly, segmentBytes)
    const notice = await archive.findEnd()
    if (notice !== null) onNotice?.(notice)
    return archive
  } catch (error) {
    throw explainFileError(error, path)
  }
}

async function make(path: string): Promise<void> {
  const manifest = join(path, MANIFEST_NAME)
  const size = (await sizeOf(manifest)) ?? 0
  if (size > EMPTY_MANIFEST.bytes) return
  if (size > 0) {
    const text = await readFile(manifest, 'latin1')
    if (text === `${MANIFEST_HEADER}\n`) return
    // Only the beginning of our own first line, or its length, is what is left where somebody died while the archive
    // was made.
    if (!MANIFEST_HEADER.startsWith(text) && /[^\0]/.test(text)) throw foreignManifest(manifest)
  }
  await makeDirectoryDurably(path)
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

  /** Reads what there is and, for writing, brings its end in order. Resolves with what there is to tell. */
  async findEnd(): Promise<ArchiveNotice | null> {
    const tails: ManifestTail[] = []
    for await (const { part, end } of readManifest(this.#manifest, (tail) => tails.push(tail))) {
      this.#end = end
      this.#follow(part)
    }
    const [tail] = tails
    if (this.#readOnly) return tail?.kind === 'torn' ? tornNotice(this.#manifest, tail) : null
    const notice = tail === undefined ? null : await this.#mend(tail)
    // A process that was killed may have left what it wrote to the kernel alone.
    for (const path of [this.#manifest, this.path]) await syncPath(path)
    const size = await sizeOf(join(this.path, segmentName(this.#segment)))
    // A segment that lost its end must not be written over: what is left of it may still be read.
    if (this.#offset > 0 && (size ?? 0) < this.#offset) this.#nextSegment()
    return notice
  }

  async #mend({ line, bytes, kind }: ManifestTail): Promise<ArchiveNotice> {
    if ((await sizeOf(this.#manifest)) !== this.#end.bytes + bytes) throw this.#otherWriter()
    const remade = kind === 'torn' ? await this.#remake(line) : null
    await cutDurably(this.#manifest, this.#end.bytes)
    const where = `line ${line} of ${this.#manifest}`
    if (remade === null) {
      const message = `${where} was not finished when its process or the machine died: ${bytes} bytes were cut off; nothing was removed from the store for it`
      return { code: 'ARCHIVE_TAIL_CUT', message }
    }
    await this.#enter(remade)
    const message = `${where} did not reach the disk whole; it was made again from ${remade.segment}`
    return { code: 'ARCHIVE_LINE_REMADE', message }
  }

  /** Segments are on disk before their lines: what a torn line told of is there, in the newest segment. */
  async #remake(line: number): Promise<ManifestPart | null> {
    const next = { segment: segmentName(this.#segment + 1), offset: 0 }
    const same = { segment: segmentName(this.#segment), offset: this.#offset }
    try {
      for (const place of [next, same]) {
        const part = (await sizeOf(join(this.path, place.segment))) ?? 0
        if (part > place.offset) return await remakePart(this.path, place)
      }
    } catch (error) {
      if (isStoreError(error, 'RECORD_CORRUPT')) throw damagedManifest(this.#manifest, line)
      throw error
    }
    return null
  }

  async append(jobs: readonly ArchivedJob[]): Promise<void> {
    if (this.#readOnly) {
      throw new StoreError('STORE_READ_ONLY', `the archive ${this.path} was opened for reading`, {
        path: this.path,
      })
    }
    const turn = this.#queue
      .then(async () => {
        for await (const part of inParts(jobs)) await this.#write(part)
      })
      .catch((error: unknown) => {
        throw explainFileError(error, this.path)
      })
    this.#queue = turn.catch(() => undefined)
    await turn
  }

  /** First the part, then the line that tells of it: what no line tells of does not exist. */
  async #write({ bytes, jobs }: Part): Promise<void> {
    if ((await sizeOf(this.#manifest)) !== this.#end.bytes) await this.#refuseOtherWriter()
    if (this.#offset > this.#segmentBytes) this.#nextSegment()
    const segment = segmentName(this.#segment)
    const offset = this.#offset
    await appendDurably(join(this.path, segment), offset, bytes)
    await this.#enter({
      segment,
      offset,
      length: bytes.length,
      sha256: sha256(bytes),
      atMs: Date.now(),
      jobs,
    })
  }

  async #enter(part: ManifestPart): Promise<void> {
    const line = Buffer.from(manifestLine(part, this.#end))
    await appendLine(this.#manifest, this.#end.bytes, line)
    this.#end = { bytes: this.#end.bytes + line.length + 1, sha256: sha256(line) }
    this.#follow(part)
  }

  #follow({ segment, jobs, offset, length }: ManifestPart): void {
    const totals = this.#totals
    this.#segment = numberOf(segment)
    this.#offset = offset + length
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
    throw this.#otherWriter()
  }

  #otherWriter(): StoreError {
    return new StoreError('STORE_LOCKED', `another process writes to the archive ${this.path}`, {
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
    const lines = await readPart(this.path, found.part)
    return fromLines(lines.slice(found.first, found.first + found.lines))
  }

  async *list(): AsyncIterableIterator<ArchiveEntry> {
    for await (const { part } of readManifest(this.#manifest)) {
      for (const indexed of part.jobs) yield entryOf(part, indexed)
    }
  }

  async *read(options: { readonly reverse?: boolean } = {}): AsyncIterableIterator<{
    readonly entry: ArchiveEntry
    readonly job: () => Promise<ArchivedJob>
  }> {
    checkFields('read', options, { reverse: true })
    const { reverse = false } = options
    for await (const part of this.#parts(reverse)) {
      let lines: Promise<string[]> | undefined
      for (const indexed of reverse ? [...part.jobs].reverse() : part.jobs) {
        const { firstLine, lines: count } = indexed
        const job = async (): Promise<ArchivedJob> => {
          lines ??= readPart(this.path, part)
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
    const onTail = ({ line, kind }: ManifestTail): void => {
      if (kind === 'torn') sum.problems.push(`line ${line} of ${this.#manifest} did not reach the disk whole`)
    }
    try {
      for await (const { part } of readManifest(this.#manifest, onTail)) {
        sum.jobs += part.jobs.length
        sum.bytes += part.length
        await readPart(this.path, part).catch((error: unknown) => sum.problems.push(messageOf(error)))
      }
    } catch (error) {
      sum.problems.push(messageOf(error))
    }
    return sum
  }
}

function tornNotice(manifest: string, { line }: ManifestTail): ArchiveNotice {
  const message = `line ${line} of ${manifest} did not reach the disk whole and is passed over; the node that writes to the archive makes it again when it starts`
  return { code: 'ARCHIVE_LINE_TORN', message }
}

function entryOf(part: ManifestPart, indexed: ManifestPart['jobs'][number]): ArchiveEntry {
  const { firstLine: _first, lines: _lines, ...entry } = indexed
  return { ...entry, archivedAtMs: part.atMs }
}

function segmentName(number: number): string {
  return `segment-${String(number).padStart(6, '0')}.ndjson.gz`
}

function numberOf(segment: string): number {
  return Number(/^segment-(\d+)\.ndjson\.gz$/.exec(segment)?.[1] ?? 1)
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
