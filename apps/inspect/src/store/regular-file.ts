import { statSync } from 'node:fs'
import { Failure } from '@saltcod/cli-kit'
import type { ExitCode } from '../exit-code.ts'

/** How something that is no file is refused. */
export interface FileRefusal {
  readonly exitCode: ExitCode
  readonly hint: string
}

/**
 * Refuses what is no regular file: to open a pipe would wait until somebody opens its other end.
 * Throws a `Failure`, and what `stat` throws.
 */
export function requireRegularFile(path: string, { exitCode, hint }: FileRefusal): void {
  const found = statSync(path)
  if (found.isFile()) return
  const kind = found.isDirectory() ? 'a directory' : 'a pipe, a socket or a device'
  throw new Failure(exitCode, `${path} is ${kind}, not a file; it was left alone`, { hint })
}
