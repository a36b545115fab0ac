import { readFileSync, statfsSync } from 'node:fs'

/** What the machine has left; `Infinity` where it does not say. */
export interface Headroom {
  readonly memoryBytes: number
  /** On the file system where the runs are. */
  readonly diskBytes: number
  /** Processes and threads that could still be started. */
  readonly processes: number
  /** Files that could still be opened, by all processes together. */
  readonly files: number
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // Another system, or a part of it that is not shown here.
    return undefined
  }
}

/** A number that a file holds; `Infinity` where there is none, as in `max`. */
function numberIn(path: string): number {
  const value = Number(read(path)?.trim() || Number.NaN)
  return Number.isFinite(value) ? value : Number.POSITIVE_INFINITY
}

function field(text: string | undefined, pattern: RegExp): number {
  const found = text === undefined ? undefined : pattern.exec(text)?.[1]
  return found === undefined ? Number.POSITIVE_INFINITY : Number(found)
}

/** The difference between a limit and what is used of it; `Infinity` where either is not known. */
function left(limit: number, used: number): number {
  return Number.isFinite(limit) && Number.isFinite(used) ? limit - used : Number.POSITIVE_INFINITY
}

/** What others than root may still write to the file system of a directory. */
function freeBytes(directory: string): number {
  try {
    const { bavail, bsize } = statfsSync(directory)
    return bavail * bsize
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

/**
 * Reads what the machine has left: `MemAvailable` (proc_meminfo(5)), the number of tasks (proc_loadavg(5)) against
 * `pid_max` and `threads-max`, the open files (proc_sys_fs(5)), and the limits of the own control group, version 2 or
 * 1, where it is mounted at its usual place, as in a container; and the space of the file system of a directory.
 */
export function readHeadroom(directory: string): Headroom {
  const groups = '/sys/fs/cgroup'
  const available = field(read('/proc/meminfo'), /^MemAvailable:\s+(\d+) kB/m) * 1024
  const tasks = field(read('/proc/loadavg'), /\/(\d+) /)
  const [openFiles = '', , mostFiles = ''] = (read('/proc/sys/fs/file-nr') ?? '').trim().split(/\s+/)
  return {
    memoryBytes: Math.min(
      available,
      left(numberIn(`${groups}/memory.max`), numberIn(`${groups}/memory.current`)),
      left(
        numberIn(`${groups}/memory/memory.limit_in_bytes`),
        numberIn(`${groups}/memory/memory.usage_in_bytes`),
      ),
    ),
    diskBytes: freeBytes(directory),
    processes: Math.min(
      left(numberIn('/proc/sys/kernel/pid_max'), tasks),
      left(numberIn('/proc/sys/kernel/threads-max'), tasks),
      left(numberIn(`${groups}/pids.max`), numberIn(`${groups}/pids.current`)),
      left(numberIn(`${groups}/pids/pids.max`), numberIn(`${groups}/pids/pids.current`)),
    ),
    files: openFiles === '' ? Number.POSITIVE_INFINITY : left(Number(mostFiles), Number(openFiles)),
  }
}
