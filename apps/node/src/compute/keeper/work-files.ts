import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
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

/** How the directory is called in which pipes have names while they are made; what `mkdtemp` adds follows. */
export const PIPES_PREFIX = 'pipes-'

/** How the name of a note ends while it is written. */
export const UNFINISHED_SUFFIX = '.tmp'

/**
 * Tells whether something in a work directory is there for a moment only: after a run, a keeper that was killed has
 * left it.
 */
export function isPassing(name: string): boolean {
  return name.startsWith(PIPES_PREFIX) || name.endsWith(`.json${UNFINISHED_SUFFIX}`)
}

/**
 * How these files are opened for reading: a job may have put a pipe or a link in their place, which must hold nobody
 * up.
 */
export const READ_FLAGS: number = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW

/** Longer than any note of a keeper. */
const NOTE_BYTES = 1024 * 1024

/** Reads a small file that a keeper wrote, whatever a job has made of it meanwhile. Throws where that is none. */
export function readNote(path: string): string {
  const file = openSync(path, READ_FLAGS)
  try {
    const status = fstatSync(file)
    if (!status.isFile() || status.size > NOTE_BYTES) throw new Error(`${path} was not written by a keeper`)
    const bytes = Buffer.alloc(status.size)
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(file)
  }
}
