import { join } from 'node:path'
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
 * nothing is there twice, wherever an earlier process was killed. The mark only saves reading all of it again, and
 * holds where the server has dropped the beginning of a long log.
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

  /** Reads the log of a container on from where it is, to its end. Rejects where the server breaks off. */
  async copy(api: SocketApi, container: string, { follow, signal }: CopyOptions): Promise<void> {
    const wanted = STREAMS.filter((stream) => !this.#logs[stream].capped)
    if (wanted.length === 0) return
    const { second } = this.#mark
    this.#read = { stdout: this.#mark.stdout, stderr: this.#mark.stderr }
    const answer = await api.open({
      path: `/containers/${container}/logs`,
      query: {
        follow: follow ? '1' : '0',
        stdout: wanted.includes('stdout') ? '1' : '0',
        stderr: wanted.includes('stderr') ? '1' : '0',
        timestamps: '1',
        // The second before may come along; whether the bound itself does is not the same everywhere.
        ...(second === 0 ? {} : { since: String(second - 1) }),
      },
      signal,
      waits: follow,
    })
    let isBefore = true
    try {
      for await (const entries of logEntries(answer as AsyncIterable<Buffer>)) {
        const fresh = isBefore ? entries.slice(firstFrom(entries, second)) : entries
        if (fresh.length > 0) isBefore = false
        await this.#take(fresh)
        if (wanted.some((stream) => this.#logs[stream].capped)) break
      }
    } finally {
      answer.destroy()
    }
    // The rest is of the stream that has room left.
    if (wanted.some((stream) => this.#logs[stream].capped))
      await this.copy(api, container, { follow, signal })
  }

  /** Says that the rest cannot be had. */
  lose(): void {
    for (const stream of STREAMS) this.#logs[stream].lose()
  }

  /** Puts what is kept on disk. */
  async close(): Promise<void> {
    for (const stream of STREAMS) await this.#logs[stream].close()
  }

  async #take(entries: readonly LogEntry[]): Promise<void> {
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
      if (fresh[stream].length > 0)
        await this.#logs[stream].write(Buffer.concat(fresh[stream]), before[stream])
    }
    if (!this.#isInOrder) this.#keepMark(BEGINNING)
    else if (next !== undefined) this.#keepMark(next)
  }

  /** After the bytes before it, so that it never says that there are more than there are. */
  #keepMark(mark: LogMark): void {
    if (mark.second === this.#mark.second) return
    this.#mark = mark
    try {
      writeWhole(markFile(this.#workDir), JSON.stringify(mark))
    } catch {
      // A full disk: an earlier mark does as well.
    }
  }
}

/** Options of {@link LogCopy.copy}. */
export interface CopyOptions {
  /** True: until the container has ended. False: what is there. */
  readonly follow: boolean
  readonly signal: AbortSignal
}

function firstFrom(entries: readonly LogEntry[], second: number): number {
  const at = entries.findIndex((entry) => entry.second >= second)
  return at === -1 ? entries.length : at
}
