import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { type ExitRecord, type OutcomeReason, readExitRecord } from './exit-record.ts'
import { type LogStream, logFile, READ_FLAGS } from './work-files.ts'

const HEAD_BYTES = 2_048
const TAIL_BYTES = 1_024
const TAIL_LINES = 5
const TAIL_LINE_LENGTH = 200

/** The end of a run. A non-zero exit code alone is no failure: only `errorMessage` makes the execution fail. */
export interface EngineOutcome {
  /** Null when the job did not end by itself. */
  readonly exitCode: number | null
  /** The signal that ended the job's first process, or null. */
  readonly signal: string | null
  /** The first 2 KB of standard output, as text. */
  readonly stdout: string
  /** True when there was more of it than `stdout` holds. */
  readonly stdoutTruncated: boolean
  /** The first 2 KB of standard error, as text. */
  readonly stderr: string
  /** True when there was more of it than `stderr` holds. */
  readonly stderrTruncated: boolean
  /** One line for people; set exactly when the execution failed. */
  readonly errorMessage: string | null
  readonly reason: OutcomeReason
  /** How long the job's own code ran; absent where nobody measured it. */
  readonly ranMs?: number | null
}

/** The beginnings of both logs of a run. */
export type RunHeads = Pick<EngineOutcome, 'stdout' | 'stdoutTruncated' | 'stderr' | 'stderrTruncated'>

/** A part of a log. */
interface Part {
  readonly text: string
  readonly complete: boolean
}

function readHead(path: string): Part {
  return readPart(path, () => 0)
}

/** Reads as much as a head has, from where `beginAt` says for a file of some size. */
function readPart(path: string, beginAt: (size: number) => number): Part {
  let file: number
  try {
    file = openSync(path, READ_FLAGS)
  } catch {
    return { text: '', complete: true }
  }
  try {
    const bytes = Buffer.alloc(HEAD_BYTES)
    const { size } = fstatSync(file)
    const at = beginAt(size)
    const length = readSync(file, bytes, 0, HEAD_BYTES, at)
    // As a stream, so that a character cut in two at the end is left out, not garbled.
    const text = new TextDecoder().decode(bytes.subarray(0, length), { stream: true })
    return { text, complete: fstatSync(file).size <= at + length }
  } catch {
    // No file any more: the job has put something else in its place.
    return { text: '', complete: true }
  } finally {
    closeSync(file)
  }
}

/**
 * Returns the streams of which something was dropped by what an outcome alone says of them: there was more than its
 * heads hold, and they are shorter than heads may be. Of longer logs the exit record tells, where the disk took it.
 */
export function droppedOf({
  stdout,
  stdoutTruncated,
  stderr,
  stderrTruncated,
}: RunHeads): readonly LogStream[] {
  // The last character of a head may be left out.
  const isShort = (text: string): boolean => Buffer.byteLength(text) < HEAD_BYTES - 3
  return [
    ...(stdoutTruncated && isShort(stdout) ? (['stdout'] as const) : []),
    ...(stderrTruncated && isShort(stderr) ? (['stderr'] as const) : []),
  ]
}

/** Turns an exit record into an outcome, with the beginning of the logs of its work directory. */
export function outcomeOf(workDir: string, record: ExitRecord): EngineOutcome {
  const stdout = readHead(logFile(workDir, 'stdout'))
  const stderr = readHead(logFile(workDir, 'stderr'))
  return {
    exitCode: record.exitCode,
    signal: record.signal,
    stdout: stdout.text,
    stdoutTruncated: record.stdoutCapped || !stdout.complete,
    stderr: stderr.text,
    stderrTruncated: record.stderrCapped || !stderr.complete,
    errorMessage: record.errorMessage,
    reason: record.reason,
    ranMs: record.startedAtMs === null ? null : Math.max(record.endedAtMs - record.startedAtMs, 0),
  }
}

/**
 * Reads the last lines of what a run wrote to a stream, a few hundred characters of them; empty where there is none.
 */
export function lastLines(workDir: string, stream: LogStream): string {
  const text = readPart(logFile(workDir, stream), (size) => Math.max(size - TAIL_BYTES, 0)).text
  const lines = text.trimEnd().split('\n').slice(-TAIL_LINES)
  return lines
    .map((line) => line.slice(-TAIL_LINE_LENGTH))
    .join('\n')
    .trim()
}

/** Reads how the run of a work directory ended; undefined when it has not, or left no readable record. */
export function readOutcome(workDir: string): EngineOutcome | undefined {
  const record = readExitRecord(workDir)
  return record === undefined ? undefined : outcomeOf(workDir, record)
}
