import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs'

/** One row of `/proc`, as far as the keeper needs it. */
export interface ProcessEntry {
  readonly pid: number
  readonly ppid: number
  readonly pgid: number
  readonly sid: number
  /** The letter of the state; `Z` and `X` are dead. */
  readonly state: string
  /** Clock ticks since boot. */
  readonly startTime: string
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    // Gone in the meantime, or not ours to look at: both mean "nothing known".
    return undefined
  }
}

/** The id of this boot of the machine, or an empty string where there is none to read. */
export function bootId(): string {
  return readProc('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
}

const line = Buffer.allocUnsafe(4_096)

/** Reads the one line of a process, in three calls of the system: it is read for every process of the machine, many times a second. */
function readStat(pid: number): string | undefined {
  let file: number
  try {
    file = openSync(`/proc/${pid}/stat`, 'r')
  } catch {
    return undefined
  }
  try {
    return line.toString('latin1', 0, readSync(file, line, 0, line.length, null))
  } catch {
    return undefined
  } finally {
    closeSync(file)
  }
}

/** Reads one process; undefined when there is none with that pid. */
export function readProcess(pid: number): ProcessEntry | undefined {
  const text = readStat(pid)
  if (text === undefined) return undefined
  // The name stands in parentheses and may itself hold parentheses and spaces.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, ppid, pgid, sid] = fields
  const startTime = fields[19]
  if (state === undefined || startTime === undefined) return undefined
  return { pid, ppid: Number(ppid), pgid: Number(pgid), sid: Number(sid), state, startTime }
}

/** The name of the program that a process runs, cut off after 15 bytes; undefined when there is none with that pid. */
export function readName(pid: number): string | undefined {
  return readProc(`/proc/${pid}/comm`)?.trimEnd()
}

/** Tells whether a process has not ended; a zombie has. */
export function isLive(entry: ProcessEntry): boolean {
  return entry.state !== 'Z' && entry.state !== 'X'
}

/** Lists every process of the machine that has not ended. */
export function listProcesses(): ProcessEntry[] {
  const found: ProcessEntry[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const entry = readProcess(Number(name))
    if (entry !== undefined && isLive(entry)) found.push(entry)
  }
  return found
}

/** The pids of the direct children of a process; empty when it has none or is gone. */
export function childrenOf(pid: number): number[] {
  let tasks: string[]
  try {
    tasks = readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
  return tasks.flatMap((task) =>
    (readProc(`/proc/${pid}/task/${task}/children`) ?? '')
      .split(' ')
      .filter((text) => /^\d+$/.test(text))
      .map(Number),
  )
}

/** The value of a variable in the environment that a process was started with; undefined when not readable. */
export function environmentValue(pid: number, name: string): string | undefined {
  const prefix = `${name}=`
  const found = readProc(`/proc/${pid}/environ`)
    ?.split('\0')
    .find((entry) => entry.startsWith(prefix))
  return found?.slice(prefix.length)
}

/** Tells whether the environment of a process may be looked at: only the same user and root may. */
export function isReadable(pid: number): boolean {
  return readProc(`/proc/${pid}/environ`) !== undefined
}

/** The working directory of a process; undefined when not readable. */
export function workingDirectory(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return undefined
  }
}

/** What a process keeps in memory. */
export interface MemoryUse {
  readonly anonymousBytes: number
  readonly sharedBytes: number
}

/** Reads the memory of a process: its own pages, and shared ones that no file backs. Zero when it is gone. */
export function memoryUse(pid: number): MemoryUse {
  const status = readProc(`/proc/${pid}/status`) ?? ''
  const kilobytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
  return { anonymousBytes: kilobytes('RssAnon') * 1024, sharedBytes: kilobytes('RssShmem') * 1024 }
}
