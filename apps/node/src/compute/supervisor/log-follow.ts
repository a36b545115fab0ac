import { type FileHandle, open, stat } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { type ExitRecord, readExitRecord } from './exit-record.ts'
import { type LogStream, logFile } from './work-files.ts'

const LOOK_MS = 100
const CHUNK_BYTES = 64 * 1024
/** Of a longer line, what is there is delivered before its end is. */
const LINE_LENGTH = 64 * 1024

/** A part of a job's output. */
export interface LogPart {
  readonly stream: LogStream
  /** One line or several with their ends, as the job wrote them; without an end where the job wrote none, or a line is long. */
  readonly text: string
}

/** Options of {@link followLog}. */
export interface FollowOptions {
  /** True: go on until the run has ended. False: what is there now. */
  readonly follow?: boolean
  /** True: only what is written from now on. */
  readonly tail?: boolean
  /** Ends the iteration without an error. */
  readonly signal?: AbortSignal
}

/** Reads one growing file by lines. */
class LineReader {
  readonly #path: string
  readonly #stream: LogStream
  readonly #decoder = new TextDecoder()
  #position = 0
  #rest = ''

  constructor(workDir: string, stream: LogStream) {
    this.#path = logFile(workDir, stream)
    this.#stream = stream
  }

  async skip(): Promise<void> {
    this.#position = await stat(this.#path).then(
      (status) => status.size,
      () => 0,
    )
  }

  /** Yields the lines that are complete, as many at a time as are there; with `last`, also an unfinished one. */
  async *read(last: boolean): AsyncGenerator<LogPart> {
    const file = await this.#open()
    if (file === undefined) return
    try {
      const bytes = Buffer.alloc(CHUNK_BYTES)
      for (;;) {
        const { bytesRead } = await file.read(bytes, 0, CHUNK_BYTES, this.#position)
        if (bytesRead === 0) break
        this.#position += bytesRead
        yield* this.#split(this.#decoder.decode(bytes.subarray(0, bytesRead), { stream: true }))
      }
    } finally {
      await file.close()
    }
    if (last && this.#rest !== '') yield { stream: this.#stream, text: this.#rest }
  }

  async #open(): Promise<FileHandle | undefined> {
    return await open(this.#path, 'r').catch(() => undefined)
  }

  *#split(read: string): Generator<LogPart> {
    const all = this.#rest + read
    const whole = all.lastIndexOf('\n') + 1
    const end = all.length - whole > LINE_LENGTH ? all.length : whole
    this.#rest = all.slice(end)
    if (end > 0) yield { stream: this.#stream, text: all.slice(0, end) }
  }
}

function* notices(record: ExitRecord | undefined): Generator<LogPart> {
  const notice = '[saltcod: the log limit was reached, the rest was dropped]\n'
  if (record?.stdoutCapped === true) yield { stream: 'stdout', text: notice }
  if (record?.stderrCapped === true) yield { stream: 'stderr', text: notice }
}

/**
 * Reads the logs of a run from its work directory, while it runs or afterwards. Lines of one stream come in
 * order; the two streams are not ordered between each other. A log that hit its limit ends with a line that says so.
 */
export async function* followLog(workDir: string, options: FollowOptions = {}): AsyncGenerator<LogPart> {
  const { follow = false, tail = false, signal } = options
  const readers = [new LineReader(workDir, 'stdout'), new LineReader(workDir, 'stderr')]
  if (tail) for (const reader of readers) await reader.skip()
  while (signal?.aborted !== true) {
    // Asked before reading: what was written before the end is then read after it.
    const record = readExitRecord(workDir)
    const last = !follow || record !== undefined
    for (const reader of readers) yield* reader.read(last)
    if (last) {
      yield* notices(record)
      return
    }
    await delay(LOOK_MS, undefined, { signal }).catch(() => undefined)
  }
}
