import { readFileSync } from 'node:fs'

/**
 * In the keeper a run has two logs, two pipes and its namespace open; in the node, files while it is started, staged
 * and published.
 */
export const FILES_PER_RUN = 6
const FEWEST_RUNS = 8

/** Returns how many files this process may have open; `null` where the system does not tell, or sets no limit. */
export function openFileLimit(): number | null {
  let limits: string
  try {
    limits = readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return null
  }
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1]
  return soft === undefined ? null : Number(soft)
}

/** Returns how many runs may be admitted under a limit of files, of which they are to take a quarter at most. */
export function mostRunsFor(openFiles: number | null, most: number): number {
  if (openFiles === null) return most
  return Math.min(Math.max(Math.floor(openFiles / 4 / FILES_PER_RUN), FEWEST_RUNS), most)
}
