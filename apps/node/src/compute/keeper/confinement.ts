import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** Kernel bounds for each process of a job. */
export interface Confinement {
  /** The longest file that it may write. */
  readonly fileBytes: number
  /** Private writable memory of one process, or null. */
  readonly dataBytes: number | null
}

/** A program with its arguments. */
export interface CommandLine {
  readonly command: string
  readonly args: readonly string[]
}

const DIRECTORIES = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin']
/** Where the tools of the system are looked for. */
export const TOOL_PATH: string = DIRECTORIES.join(':')

/** The absolute path of a tool of the system, so that no variable of a job decides which one is run; its bare name where it is missing. */
export function systemTool(name: string): string {
  return DIRECTORIES.map((directory) => `${directory}/${name}`).find((path) => existsSync(path)) ?? name
}

const found = new Map<string, string | undefined>()

/** The absolute path of a tool that takes these options (other makers' tools of that name may not). */
function tool(name: string, options: readonly string[]): string | undefined {
  if (!found.has(name)) {
    const usable = DIRECTORIES.map((directory) => `${directory}/${name}`).find(
      (path) => spawnSync(path, [...options, 'true'], { stdio: 'ignore' }).status === 0,
    )
    found.set(name, usable)
  }
  return found.get(name)
}

/**
 * Puts kernel bounds around a program where the machine has util-linux: limits by `prlimit`, and by `setpriv`
 * a SIGKILL for the job's first process should its keeper be killed. Both replace themselves with the
 * program, so its pid stays the same. Without them the program runs as it is, under the keeper's own bounds.
 */
export function confine(line: CommandLine, limits: Confinement): CommandLine {
  let { command, args } = line
  const setpriv = tool('setpriv', ['--pdeathsig', 'KILL'])
  if (setpriv !== undefined) {
    args = ['--pdeathsig', 'KILL', '--', command, ...args]
    command = setpriv
  }
  const prlimit = tool('prlimit', ['--core=0'])
  if (prlimit !== undefined) {
    const data = limits.dataBytes === null ? [] : [`--data=${limits.dataBytes}`]
    args = ['--core=0', `--fsize=${limits.fileBytes}`, ...data, '--', command, ...args]
    command = prlimit
  }
  return { command, args }
}
