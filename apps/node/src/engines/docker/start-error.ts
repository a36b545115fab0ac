import { shortText } from './socket-api.ts'

interface Known {
  readonly pattern: RegExp
  readonly reason: string
}

const SEPARATE =
  'its path has no such program; a program and each of its arguments are texts of their own, and a command line is for [sh, -c, TEXT]'

/** What runtimes and servers say of what cannot be started, the more telling words first. */
const KNOWN: readonly Known[] = [
  { pattern: /executable file .*not found/i, reason: SEPARATE },
  {
    pattern:
      /exec: "[^"]*": is a directory|exec: "[^"]*": permission denied|open executable: permission denied/i,
    reason:
      'that may not be executed; a script without that right is given to its interpreter, as [sh, FILE]',
  },
  {
    pattern: /exec format error/i,
    reason:
      'that is a program for another architecture, or a script without an interpreter (#!) in its first line',
  },
  {
    pattern: /exec: "[^"]*":? (?:stat .*: )?no such file or directory|exec .*: no such file or directory/i,
    reason: 'there is no such file in the container, or not the interpreter that its first line (#!) names',
  },
  {
    pattern: /no command (?:or entrypoint|specified)/i,
    reason: 'neither its job nor its image says which program it runs; give Entrypoint or Parameters',
  },
]

/** Docker makes no container with less; what starts one has to find room in it. */
const LEAST_MEMORY_BYTES = 6_291_456

/**
 * Says why a container could not be made or started: what that means for its job, where it is known, and what its
 * server said, in one line.
 */
export function startError(said: string, memoryBytes: number | null): string {
  const text = shortText(said).replace(/\s+/g, ' ').trim()
  const reason = KNOWN.find(({ pattern }) => pattern.test(said))?.reason ?? memoryReason(memoryBytes)
  return reason === undefined ? `docker: ${text}` : `docker: ${reason} (${text})`
}

/** Runtimes do not always say that it was for want of memory. */
function memoryReason(bytes: number | null): string | undefined {
  if (bytes === null || bytes >= LEAST_MEMORY_BYTES) return undefined
  return `its Memory of ${bytes} bytes is less than the ${LEAST_MEMORY_BYTES} that a container needs to start`
}
