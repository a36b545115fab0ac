import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs'
import { systemCode } from '../../system-code.ts'

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
  /** False from its birth until it executes a program: so long it is a copy of its parent. */
  readonly hasProgram: boolean
}

/** Gone in the meantime, or not ours to look at: both mean "nothing known". */
const UNKNOWN: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'ENOTDIR'])

/**
 * Throws an error that says nothing of a process: whoever has no descriptors left to look with must not take it for
 * dead.
 */
function unlessUnknown(error: unknown): undefined {
  if (UNKNOWN.has(systemCode(error))) return undefined
  throw error
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    return unlessUnknown(error)
  }
}

/** The id of this boot of the machine, or an empty string where there is none to read. */
export function bootId(): string {
  return readProc('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
}

/** `PF_FORKNOEXEC` of the kernel's `include/linux/sched.h`. */
const FORKED_WITHOUT_PROGRAM = 0x40
/** Longer than what these files hold. */
const piece = Buffer.allocUnsafe(4_096)

/**
 * Reads a short file of a process, in three calls of the system: some are read for every process of the machine, many
 * times a second.
 */
function readShort(path: string): string | undefined {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    return unlessUnknown(error)
  }
  try {
    return piece.toString('latin1', 0, readSync(file, piece, 0, piece.length, null))
  } catch (error) {
    return unlessUnknown(error)
  } finally {
    closeSync(file)
  }
}

/** Reads one process; undefined when there is none with that pid. Throws where nothing can be read, as all here do. */
export function readProcess(pid: number): ProcessEntry | undefined {
  const text = readShort(`/proc/${pid}/stat`)
  if (text === undefined) return undefined
  // The name stands in parentheses and may itself hold parentheses and spaces.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, ppid, pgid, sid] = fields
  const [flags, startTime] = [fields[6], fields[19]]
  if (state === undefined || startTime === undefined) return undefined
  const hasProgram = (Number(flags) & FORKED_WITHOUT_PROGRAM) === 0
  return { pid, ppid: Number(ppid), pgid: Number(pgid), sid: Number(sid), state, startTime, hasProgram }
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
  } catch (error) {
    return unlessUnknown(error) ?? []
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
  } catch (error) {
    return unlessUnknown(error)
  }
}

/** What a live process takes. */
export interface ProcessUse {
  /** Its own pages. */
  readonly anonymousBytes: number
  /** Shared pages that no file backs. */
  readonly sharedBytes: number
  /** How often its first thread has given the processor up, or was made to. */
  readonly turns: number
}

/** Reads what a process takes, by its directory in a `/proc`; undefined when it is gone, or a zombie. */
export function processUse(directory: string): ProcessUse | undefined {
  const status = readShort(`${directory}/status`)
  if (status === undefined || /^State:\s+[ZX]/m.test(status)) return undefined
  const number = (name: string): number => {
    const at = status.indexOf(`\n${name}:`)
    return at < 0 ? 0 : Number.parseInt(status.slice(at + name.length + 2, at + name.length + 32), 10)
  }
  return {
    anonymousBytes: number('RssAnon') * 1024,
    sharedBytes: number('RssShmem') * 1024,
    turns: number('voluntary_ctxt_switches') + number('nonvoluntary_ctxt_switches'),
  }
}
