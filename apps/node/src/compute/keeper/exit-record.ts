import { renameSync, writeFileSync } from 'node:fs'
import { makeNew } from '../files/new-file.ts'
import { exitFile, readNote, UNFINISHED_SUFFIX } from './work-files.ts'

/** How a run came to its end. */
export type OutcomeReason =
  | 'exited'
  | 'timeout'
  | 'memory'
  | 'killed'
  | 'cancelled'
  | 'start-failed'
  | 'node-gone'
  /** The keeper hung or was killed, so the job was ended. */
  | 'keeper-lost'

// The others say that the run was ended for the node's sake, or by whatever ended the node.
const OWN_ENDS: ReadonlySet<OutcomeReason> = new Set<OutcomeReason>(['exited', 'timeout', 'memory'])

/** What the keeper leaves behind when a run has ended; survives the node. */
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

/** What a record says beside the run that it is of. */
export type ExitNote = Omit<ExitRecord, 'executionId' | 'attempt' | 'endedAtMs'>

/** What of the streams of a run was kept whole. */
export type Capped = Pick<ExitRecord, 'stdoutCapped' | 'stderrCapped'>

/** Nothing was dropped, or nothing is known of it. */
export const NOT_CAPPED: Capped = { stdoutCapped: false, stderrCapped: false }

/** Makes the record of a run that ends now. */
export function exitRecord(
  { executionId, attempt }: Pick<ExitRecord, 'executionId' | 'attempt'>,
  note: ExitNote,
): ExitRecord {
  return { executionId, attempt, ...note, endedAtMs: Date.now() }
}

/**
 * Writes a small file whole or not at all, with mode 0600. It outlives this process but not the machine: what it
 * says is only believed in the same boot, so a sync would protect nothing. A job may have put anything in its
 * place, also what would hold up whoever opens it.
 */
export function writeWhole(path: string, text: string): void {
  const temporary = `${path}${UNFINISHED_SUFFIX}`
  makeNew(temporary, () => writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' }))
  renameSync(temporary, path)
}

/** Writes the exit record of a run into its work directory. */
export function writeExitRecord(workDir: string, record: ExitRecord): void {
  writeWhole(exitFile(workDir), `${JSON.stringify(record)}\n`)
}

/** Writes the exit record where the disk takes it; without one, recovery counts the run as interrupted. */
export function keepRecord(workDir: string, record: ExitRecord): void {
  try {
    writeExitRecord(workDir, record)
  } catch {
    // A full disk: whoever waits is told all the same.
  }
}

/** Reads the exit record of a work directory; undefined while the run has not ended, or when it is unreadable. */
export function readExitRecord(workDir: string): ExitRecord | undefined {
  try {
    return JSON.parse(readNote(exitFile(workDir))) as ExitRecord
  } catch {
    return undefined
  }
}

/** Reads how a run came to its own end; undefined where it has not ended, or was ended for the sake of the node. */
export function readOwnEnd(
  workDir: string,
  { executionId, attempt }: Pick<ExitRecord, 'executionId' | 'attempt'>,
): ExitRecord | undefined {
  const record = readExitRecord(workDir)
  const isOf = record?.executionId === executionId && record.attempt === attempt
  return isOf && OWN_ENDS.has(record.reason) ? record : undefined
}
