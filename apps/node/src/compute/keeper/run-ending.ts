import type { ExitRecord, OutcomeReason } from './exit-record.ts'

/** Why a run is ended before its own end. */
export interface Cause {
  readonly reason: OutcomeReason
  readonly message: string
}

/** How a run ended. */
export type Ending = Pick<ExitRecord, 'reason' | 'exitCode' | 'signal' | 'errorMessage'>

/** The cause of those that are cancelled. */
export const CANCELLED: Cause = { reason: 'cancelled', message: 'it was cancelled' }

/** The cause of those whose node has ended. */
export const NODE_GONE: Cause = { reason: 'node-gone', message: 'the node that ran it ended' }

/** The cause of those that take too much memory. */
export function memoryCause(limitBytes: number): Cause {
  return { reason: 'memory', message: `it used more memory than its limit of ${limitBytes} bytes` }
}

/** The cause of those that the kernel ends because there is too little memory for all. */
export const MACHINE_OUT_OF_MEMORY: Cause = {
  reason: 'memory',
  message: 'the machine, or what the node may use of it, had no memory left for it',
}

/** What the exit of a process that nobody ended says. */
export function endingOf(exitCode: number | null, signal: string | null): Ending {
  if (signal === null) return { reason: 'exited', exitCode, signal, errorMessage: null }
  const why =
    signal === 'SIGXFSZ' ? 'it wrote a file longer than its limit' : `it was ended by the signal ${signal}`
  return { reason: 'killed', exitCode, signal, errorMessage: why }
}

/** What the end of a run says that was ended for a cause, whatever its process made of that. */
export function endingBy({ reason, message }: Cause, exitCode: number | null, signal: string | null): Ending {
  return { reason, exitCode, signal, errorMessage: message }
}

/** Says that a run could not be started. */
export function notStarted(what: string, error: unknown): Ending {
  const cause = error instanceof Error ? error.message : String(error)
  return { reason: 'start-failed', exitCode: null, signal: null, errorMessage: `${what}: ${cause}` }
}

/** What the end of a process says that should have gone on. */
export function unexpectedEnding(exitCode: number | null, signal: string | null): Ending {
  if (exitCode === null && signal !== null) return endingOf(exitCode, signal)
  const errorMessage = `the process that ran it ended with exit code ${exitCode ?? 'unknown'} and said nothing`
  return { reason: 'killed', exitCode: null, signal, errorMessage }
}
