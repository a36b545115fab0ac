import { readdirSync, readFileSync, statSync } from 'node:fs'
import type { BacalhauFile } from './bacalhau-files.ts'

/**
 * Finds a process that has one of the files locked, as a Bacalhau that runs has all the time; `null` where none has.
 * No lock is taken for it: that could let a start of Bacalhau wait.
 */
export function processOf(files: readonly BacalhauFile[]): number | null {
  const inodes = new Map(files.map(({ path }) => [statSync(path).ino, path]))
  for (const line of locks()) {
    // 1: FLOCK  ADVISORY  WRITE 4711 fd:01:1234567 0 EOF
    const match = /^\d+: FLOCK +\w+ +\w+ +(\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /.exec(line)
    const path = match === null ? undefined : inodes.get(Number(match[2]))
    if (match !== null && path !== undefined && mayHaveOpen(Number(match[1]), path)) return Number(match[1])
  }
  return null
}

function locks(): readonly string[] {
  try {
    return readFileSync('/proc/locks', 'latin1').split('\n')
  } catch {
    return []
  }
}

/** Another file system may have a file of the same number. Of another user's process nobody can tell. */
function mayHaveOpen(pid: number, path: string): boolean {
  const { dev, ino } = statSync(path)
  try {
    return readdirSync(`/proc/${pid}/fd`).some((name) => {
      const open = statSync(`/proc/${pid}/fd/${name}`, { throwIfNoEntry: false })
      return open?.dev === dev && open.ino === ino
    })
  } catch {
    return true
  }
}
