import { join } from 'node:path'

const SAFE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/

/** Tells whether an execution's id can name a directory; one with a slash or `..` could lead anywhere. */
export function isSafeName(id: string): boolean {
  return SAFE_NAME.test(id) && !id.includes('..')
}

/**
 * The private directory of an execution's runs, with its inputs and its output. Throws `TypeError` for an unsafe id.
 */
export function workDirOf(dataDir: string, executionId: string): string {
  return join(dataDir, 'work', safe(executionId))
}

function safe(id: string): string {
  if (!isSafeName(id)) throw new TypeError(`an execution id cannot name a directory: ${JSON.stringify(id)}`)
  return id
}
