import { closeSync, readdirSync, readFileSync } from 'node:fs'

const CLOSE_ON_EXEC = 0o2000000
const FIRST_OTHER_FD = 3

function closesOnExec(fd: number): boolean {
  try {
    const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1]
    return flags === undefined || (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) !== 0
  } catch {
    return true
  }
}

/**
 * Closes every open file but the standard ones that a program started from here would inherit. Node opens
 * its own files so that they close; what is left came from whoever started the node, and is no job's business.
 */
export function closeInheritedFiles(): void {
  const inherited = readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => fd >= FIRST_OTHER_FD && !closesOnExec(fd))
  for (const fd of inherited) closeSync(fd)
}
