import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { writeWhole } from '../../compute/keeper/exit-record.ts'
import { type LogStream, logFile, readNote } from '../../compute/keeper/work-files.ts'
import { KeptLog } from './kept-log.ts'
import { type LogEntry, logEntries } from './log-frames.ts'
import type { SocketApi } from './socket-api.ts'

const STREAMS: readonly LogStream[] = ['stdout', 'stderr']

/** A place in the log of a container: a second, and how much each stream had brought before it. */
interface LogMark {
  readonly second: number
  readonly stdout: number
  readonly stderr: number
}

const BEGINNING: LogMark = { second: 0, stdout: 0, stderr: 0 }
const GAP = 'lines may be missing here, which the server of containers no longer had'
const LOST = 'the rest may be missing, since the server of containers did not tell it'

function markFile(workDir: string): string {
  return join(workDir, 'log-mark.json')
}

function readMark(workDir: string): LogMark {
  try {
    const { second, stdout, stderr } = JSON.parse(readNote(markFile(workDir))) as LogMark
    const isOne = [second, stdout, stderr].every((number) => Number.isSafeInteger(number) && number >= 0)
    return isOne ? { second, stdout, stderr } : BEGINNING
  } catch {
    return BEGINNING
  }
}

/**
 * Copies the log of a container into the files of its run. Each stream is a row of bytes of which the file has the
 * beginning, so whoever reads it again, from any place, leaves out as much as the file has: nothing is missing and
 * nothing is there twice, wherever an earlier process was killed. The mark saves reading all of it again, and tells
 * where the server has dropped the beginning of a long log: what is missing then is said in the files themselves.
 */
export class LogCopy {
  readonly #workDir: string
  readonly #logs: { readonly [Stream in LogStream]: KeptLog }
  #mark: LogMark
  /** How much of each stream was read, from its beginning. */
  #read: Record<LogStream, number>
  /** False once the clock was set back: then the log is in no order by which one could go on in the middle. */
  #isInOrder = true

  private constructor(workDir: string, logs: { readonly [Stream in LogStream]: KeptLog }, mark: LogMark) {
    this.#workDir = workDir
    this.#logs = logs
    this.#mark = mark
    this.#read = { stdout: mark.stdout, stderr: mark.stderr }
  }

  /** Goes on with what is in a directory, if anything. */
  static async open(workDir: string, limitBytes: number): Promise<LogCopy> {
    const logs = {
      stdout: new KeptLog(logFile(workDir, 'stdout'), limitBytes),
      stderr: new KeptLog(logFile(workDir, 'stderr'), limitBytes),
    }
    await Promise.all(STREAMS.map((stream) => logs[stream].find()))
    return new LogCopy(workDir, logs, readMark(workDir))
  }

  /** What was dropped of each stream. */
  get capped(): { readonly stdoutCapped: boolean; readonly stderrCapped: boolean } {
    return { stdoutCapped: this.#logs.stdout.capped, stderrCapped: this.#logs.stderr.capped }
  }

  /** True when no more of any stream is kept. */
  get isFull(): boolean {
    return STREAMS.every((stream) => this.#logs[stream].capped)
  }

  /**
   * Reads the log of a container on from where it is, to what is its end now: a server that is asked to follow it may
   * leave out lines that are written meanwhile, as Podman does. Rejects where the server breaks off.
   */
  async copy(api: SocketApi, container: string, signal: AbortSignal): Promise<void> {
    const streams = STREAMS.filter((stream) => !this.#logs[stream].capped)
    if (streams.length === 0) return
    const { second } = this.#mark
    if (streams.length < STREAMS.length) {
      // The first entry that is left may be of the other one.
      const first = await firstSecond(api, container, { second, signal })
      if (first !== undefined && first > second) await this.#noteGap(first)
    }
    this.#read = { stdout: this.#mark.stdout, stderr: this.#mark.stderr }
    const answer = await openLog(api, container, { streams, second: this.#mark.second, signal })
    const end = await this.#takeAll(answer, streams)
    if (typeof end === 'number') await this.#noteGap(end)
    // What is behind a gap, or the rest of the stream that has room left.
    if (end !== 'whole') await this.copy(api, container, signal)
  }

  /** Says that the rest cannot be had. */
  async lose(): Promise<void> {
    for (const stream of STREAMS) await this.#logs[stream].note(LOST)
  }

  /** Puts what is kept on disk. */
  async close(): Promise<void> {
    for (const stream of STREAMS) await this.#logs[stream].close()
  }

  /**
   * Takes what a server answers: to its end, until a stream is full, or up to the second with which it goes on behind
   * a gap.
   */
  async #takeAll(answer: Readable, streams: readonly LogStream[]): Promise<'whole' | 'full' | number> {
    const { second } = this.#mark
    let isBefore = true
    try {
      for await (const entries of logEntries(answer as AsyncIterable<Buffer>)) {
        const fresh = isBefore ? entries.slice(firstFrom(entries, second)) : entries
        const [first] = fresh
        if (first === undefined) continue
        const isGap = isBefore && second > 0 && first.second > second && streams.length === STREAMS.length
        isBefore = false
        if (isGap) return first.second
        if (!(await this.#take(fresh))) return second
        if (streams.some((stream) => this.#logs[stream].capped)) return 'full'
      }
      return 'whole'
    } finally {
      answer.destroy()
    }
  }

  /** Says that what was between the kept and a second is gone, and goes on behind that. */
  async #noteGap(second: number): Promise<void> {
    for (const stream of STREAMS) await this.#logs[stream].note(GAP)
    const { stdout, stderr } = this.#logs
    this.#keepMark({ second, stdout: stdout.length, stderr: stderr.length })
  }

  /** Answers with whether they are the ones that are kept, as far as they were read before. */
  async #take(entries: readonly LogEntry[]): Promise<boolean> {
    const fresh: { readonly [Stream in LogStream]: Buffer[] } = { stdout: [], stderr: [] }
    const before = { ...this.#read }
    let next: LogMark | undefined
    for (const { stream, second, bytes } of entries) {
      if (second < this.#mark.second) this.#isInOrder = false
      if (second > (next ?? this.#mark).second) next = { second, ...this.#read }
      fresh[stream].push(bytes)
      this.#read[stream] += bytes.length
    }
    for (const stream of STREAMS) {
      if (fresh[stream].length === 0) continue
      if (!(await this.#logs[stream].write(Buffer.concat(fresh[stream]), before[stream]))) return false
    }
    if (!this.#isInOrder) this.#keepMark(BEGINNING)
    else if (next !== undefined) this.#keepMark(next)
    return true
  }

  /** After the bytes before it, so that it never says that there are more than there are. */
  #keepMark(mark: LogMark): void {
    const isSame = mark.second === this.#mark.second && STREAMS.every((one) => mark[one] === this.#mark[one])
    if (isSame) return
    this.#mark = mark
    try {
      writeWhole(markFile(this.#workDir), JSON.stringify(mark))
    } catch {
      // A full disk: an earlier mark does as well.
    }
  }
}

interface LogPart {
  readonly streams: readonly LogStream[]
  readonly second: number
  readonly signal: AbortSignal
}

/** Asks for the entries of streams from a second on; some before it may come along. */
async function openLog(
  api: SocketApi,
  container: string,
  { streams, second, signal }: LogPart,
): Promise<Readable> {
  return await api.open({
    path: `/containers/${container}/logs`,
    query: {
      follow: '0',
      stdout: streams.includes('stdout') ? '1' : '0',
      stderr: streams.includes('stderr') ? '1' : '0',
      timestamps: '1',
      // The second before may come along; whether the bound itself does is not the same everywhere.
      ...(second === 0 ? {} : { since: String(second - 1) }),
    },
    signal,
  })
}

/** The second of the first entry that a server has from one on; undefined where it has none. */
async function firstSecond(
  api: SocketApi,
  container: string,
  part: Omit<LogPart, 'streams'>,
): Promise<number | undefined> {
  if (part.second === 0) return undefined
  const answer = await openLog(api, container, { ...part, streams: STREAMS })
  try {
    for await (const entries of logEntries(answer as AsyncIterable<Buffer>)) {
      const first = entries[firstFrom(entries, part.second)]
      if (first !== undefined) return first.second
    }
    return undefined
  } finally {
    answer.destroy()
  }
}

function firstFrom(entries: readonly LogEntry[], second: number): number {
  const at = entries.findIndex((entry) => entry.second >= second)
  return at === -1 ? entries.length : at
}
