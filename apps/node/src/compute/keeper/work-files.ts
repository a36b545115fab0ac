import { constants } from 'node:fs'
import { join } from 'node:path'

/** The two streams of a job that are kept. */
export type LogStream = 'stdout' | 'stderr'

/** The log file of one stream in a work directory. */
export function logFile(workDir: string, stream: LogStream): string {
  return join(workDir, stream)
}

/** The file that says how the run ended; it exists only when it has. */
export function exitFile(workDir: string): string {
  return join(workDir, 'exit.json')
}

/** The file that names the job's first process, for a recovery that finds the keeper dead. */
export function jobProcessFile(workDir: string): string {
  return join(workDir, 'process.json')
}

/** How these files are opened for reading: a job may have put a pipe or a link in their place, which must hold nobody up. */
export const READ_FLAGS: number = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW
