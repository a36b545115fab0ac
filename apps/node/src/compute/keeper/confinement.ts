import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** Kernel bounds for each process of a job. */
export interface Confinement {
  /** The longest file that it may write. */
  readonly fileBytes: number
  /** Private writable memory of one process, or null. */
  readonly dataBytes: number | null
  /** Processes and threads of the user in the user namespace that it is in, or null. */
  readonly tasks: number | null
}

/** A program with its arguments. */
export interface CommandLine {
  readonly command: string
  readonly args: readonly string[]
}

const DIRECTORIES = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin']
/** Where the tools of the system are looked for. */
export const TOOL_PATH: string = DIRECTORIES.join(':')

const found = new Map<string, string | undefined>()

/** Looks once for a tool that does what is wanted of it; one that is installed later is found by the next keeper. */
function find(name: string, wanted: string, isUsable: (path: string) => boolean): string | undefined {
  const key = `${name} ${wanted}`
  if (!found.has(key)) {
    found.set(key, DIRECTORIES.map((directory) => `${directory}/${name}`).find(isUsable))
  }
  return found.get(key)
}

/**
 * The absolute path of a tool, so that no variable of a job decides which one is run; its bare name where it is
 * missing.
 */
export function systemTool(name: string): string {
  return find(name, '', existsSync) ?? name
}

/** The absolute path of a tool that takes these options (other makers' tools of that name may not). */
function tool(name: string, options: readonly string[]): string | undefined {
  const answers = (path: string): boolean =>
    spawnSync(path, [...options, 'true'], { stdio: 'ignore' }).status === 0
  return find(name, options.join(' '), answers)
}

/**
 * Puts a program under limits of the kernel, by `prlimit` of util-linux; without it, under the keeper's own bounds
 * alone.
 */
export function limit({ command, args }: CommandLine, limits: Confinement): CommandLine {
  const prlimit = tool('prlimit', ['--core=0'])
  if (prlimit === undefined) return { command, args }
  const data = limits.dataBytes === null ? [] : [`--data=${limits.dataBytes}`]
  const tasks = limits.tasks === null ? [] : [`--nproc=${limits.tasks}`]
  return {
    command: prlimit,
    args: ['--core=0', `--fsize=${limits.fileBytes}`, ...data, ...tasks, '--', command, ...args],
  }
}

/** Has a program killed with the keeper that starts it, by `setpriv` of util-linux where it is there. */
function bind({ command, args }: CommandLine): CommandLine {
  const setpriv = tool('setpriv', ['--pdeathsig', 'KILL'])
  if (setpriv === undefined) return { command, args }
  return { command: setpriv, args: ['--pdeathsig', 'KILL', '--', command, ...args] }
}

/** Does both; each tool replaces itself with the program, so its pid stays the same. */
export function confine(line: CommandLine, limits: Confinement): CommandLine {
  return limit(bind(line), limits)
}
