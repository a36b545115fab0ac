import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

let made: string | undefined

/**
 * Returns a directory for files that are of use to this process alone, made when it is first wanted and removed when
 * the process ends; `undefined` where none can be made.
 */
export function scratchDirectory(): string | undefined {
  if (made !== undefined) return made
  try {
    made = mkdtempSync(join(tmpdir(), 'saltcod-inspect-'))
  } catch {
    return undefined
  }
  const directory = made
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  return directory
}
