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

/** The file that names the job's first process, for a recovery that finds the supervisor dead. */
export function jobProcessFile(workDir: string): string {
  return join(workDir, 'process.json')
}
