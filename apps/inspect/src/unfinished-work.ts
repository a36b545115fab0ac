import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** What a worker tells the process that started it, before it makes a directory to work in. */
export interface WorkMessage {
  readonly work: string
}

/** Is in such a directory while what was made there gets its places: only who begins again may take that back. */
export const PUBLISHING = 'publishing'

/** Tells whether a message is a {@link WorkMessage}. */
export function isWorkMessage(message: unknown): message is WorkMessage {
  return typeof message === 'object' && message !== null && 'work' in message
}

/** Tells the process that started this one which directory is of no use once this one has ended. */
export function announceWork(path: string): void {
  const message: WorkMessage = { work: path }
  process.send?.(message)
}

/** Removes what a worker left that was interrupted; false where there was nothing of the kind. */
export function removeUnfinished(path: string): boolean {
  if (!existsSync(path) || existsSync(join(path, PUBLISHING))) return false
  rmSync(path, { recursive: true, force: true })
  return true
}
