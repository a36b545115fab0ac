import { type FileHandle, open, stat } from 'node:fs/promises'
import { pause } from '../../waiting/pause.ts'
import { type ExitRecord, readExitRecord } from './exit-record.ts'
import { type LogStream, logFile, READ_FLAGS } from './work-files.ts'

const LOOK_MS = 100
const CHUNK_BYTES = 64 * 1024
/** Of a longer line, what is there is delivered before its end is. */
const LINE_BYTES = 64 * 1024
const LINE_END = 0x0a

/** How far the two logs of a run are read, in bytes. */
export type LogOffsets = { readonly [Stream in LogStream]: number }

/** A part of a job's output. */
export interface LogPart {
  readonly stream: LogStream
  /**
   * One line or several with their ends, as the job wrote them; without an end where the job wrote none, or a line is
   * long.
   */
  readonly text: string
  /** How far the logs are read with this part. */
  readonly offsets: LogOffsets
}

/** Options of {@link followLog}. */
export interface FollowOptions {
  /** True: go on until the run has ended. False: what is there now. */
  readonly follow?: boolean
  /** True: only what is written from now on. */
  readonly tail?: boolean
  /** Only what is behind these. */
  readonly from?: LogOffsets | undefined
  /** Ends the iteration without an error. */
  readonly signal?: AbortSignal
}

/** Reads one growing file by lines. */
class LineReader {
  readonly stream: LogStream
  readonly #path: string
  /** Behind what was read. */
  #position: number
  /** Read, and not delivered. */
  #rest: Buffer = Buffer.alloc(0)

  constructor(workDir: string, stream: LogStream, from: number) {
    this.#path = logFile(workDir, stream)
    this.stream = stream
    this.#position = from
  }

  /** Behind what was delivered. */
  get offset(): number {
    return this.#position - this.#rest.length
  }

  async skip(): Promise<void> {
    this.#position = await stat(this.#path).then(
      (status) => status.size,
      () => 0,
    )
  }

  /** Yields the lines that are complete, as many at a time as are there; with `last`, also an unfinished one. */
  async *read(last: boolean): AsyncGenerator<string> {
    const file = await this.#open()
    if (file === undefined) return
    try {
      for (;;) {
        const bytes = Buffer.alloc(CHUNK_BYTES)
        const { bytesRead } = await file.read(bytes, 0, CHUNK_BYTES, this.#position)
        if (bytesRead === 0) break
        this.#position += bytesRead
        yield* this.#split(bytes.subarray(0, bytesRead))
      }
    } finally {
      await file.close()
    }
    if (last && this.#rest.length > 0) yield this.#deliver(this.#rest, this.#rest.length)
  }

  async #open(): Promise<FileHandle | undefined> {
    const file = await open(this.#path, READ_FLAGS).catch(() => undefined)
    if (file === undefined || (await file.stat()).isFile()) return file
    await file.close()
    return undefined
  }

  *#split(read: Buffer): Generator<string> {
    const all = Buffer.concat([this.#rest, read])
    const whole = all.lastIndexOf(LINE_END) + 1
    this.#rest = all
    const end = all.length - whole > LINE_BYTES ? wholeCharacters(all) : whole
    if (end > 0) yield this.#deliver(all, end)
  }

  #deliver(all: Buffer, end: number): string {
    this.#rest = all.subarray(end)
    return all.toString('utf8', 0, end)
  }
}

/** Returns where the last character begins that is not whole; the length where all are. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) break
    if (byte < 0xc0) continue
    const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
    return length > back ? bytes.length - back : bytes.length
  }
  return bytes.length
}

/** What a log ends with of which not all was kept. */
export const DROPPED_NOTICE =
  '[saltcod: the log limit was reached or the disk was full, the rest was dropped]\n'

function notices(record: ExitRecord | undefined): { readonly stream: LogStream; readonly text: string }[] {
  const text = DROPPED_NOTICE
  return [
    ...(record?.stdoutCapped === true ? [{ stream: 'stdout' as const, text }] : []),
    ...(record?.stderrCapped === true ? [{ stream: 'stderr' as const, text }] : []),
  ]
}

/**
 * Reads the logs of a run from its work directory, while it runs or afterwards. Lines of one stream come in
 * order; the two streams are not ordered between each other. A log of which not all was kept ends with a line that
 * says so.
 */
export async function* followLog(workDir: string, options: FollowOptions = {}): AsyncGenerator<LogPart> {
  const { follow = false, tail = false, from, signal } = options
  const stdout = new LineReader(workDir, 'stdout', from?.stdout ?? 0)
  const stderr = new LineReader(workDir, 'stderr', from?.stderr ?? 0)
  const readers = [stdout, stderr]
  const offsets = (): LogOffsets => ({ stdout: stdout.offset, stderr: stderr.offset })
  if (tail) for (const reader of readers) await reader.skip()
  while (signal?.aborted !== true) {
    // Asked before reading: what was written before the end is then read after it.
    const record = readExitRecord(workDir)
    const last = !follow || record !== undefined
    for (const reader of readers) {
      for await (const text of reader.read(last)) yield { stream: reader.stream, text, offsets: offsets() }
    }
    if (last) {
      for (const notice of notices(record)) yield { ...notice, offsets: offsets() }
      return
    }
    await pause(LOOK_MS, signal)
  }
}
