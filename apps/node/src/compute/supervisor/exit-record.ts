import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { OutcomeReason } from '../engine/engine.ts'
import { exitFile } from './work-files.ts'

/** What the supervisor leaves behind when a run has ended; survives the node. */
export interface ExitRecord {
  readonly executionId: string
  readonly attempt: number
  readonly reason: OutcomeReason
  readonly exitCode: number | null
  readonly signal: string | null
  readonly errorMessage: string | null
  /** True when a stream was longer than the log limit, so that its file holds only the beginning. */
  readonly stdoutCapped: boolean
  readonly stderrCapped: boolean
  readonly startedAtMs: number | null
  readonly endedAtMs: number
}

/** Makes the names in a directory durable. */
function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

/** Writes a small file whole or not at all, durably, with mode 0600. */
export function writeFileDurably(path: string, text: string): void {
  const temporary = `${path}.tmp`
  const file = openSync(temporary, 'w', 0o600)
  try {
    writeFileSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
  syncDirectory(dirname(path))
}

/** Writes the exit record of a run into its work directory. */
export function writeExitRecord(workDir: string, record: ExitRecord): void {
  writeFileDurably(exitFile(workDir), `${JSON.stringify(record)}\n`)
}

/** Reads the exit record of a work directory; undefined while the run has not ended, or when it is unreadable. */
export function readExitRecord(workDir: string): ExitRecord | undefined {
  try {
    return JSON.parse(readFileSync(exitFile(workDir), 'utf8')) as ExitRecord
  } catch {
    return undefined
  }
}
