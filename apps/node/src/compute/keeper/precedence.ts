import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'
import { systemTool } from './confinement.ts'

/** As a nice value: of a hundred programs that want a processor, whoever has it comes first. */
const AHEAD = -15
/** Where they stand after the name in `stat`, see proc_pid_stat(5). */
const SESSION = 3
const NICE = 16
const POLICY = 38

/**
 * Lets this process come before the jobs, unless an operator has said how it is to be scheduled, which its jobs then
 * have part in. What it starts has no part in its precedence. Only root and whoever has `CAP_SYS_NICE` may.
 */
export function takePrecedence(): void {
  attempt(() => {
    const fields = ownStat()
    if (fields[NICE] !== '0' || fields[POLICY] !== '0') return
    putAhead(process.pid)
    putSessionAhead()
  })
}

/**
 * Lets the session of this process come before others where the system shares processors out by them (sched(7)), if it
 * leads one.
 */
export function putSessionAhead(): void {
  attempt(() => {
    if (ownStat()[SESSION] === String(process.pid)) writeFileSync('/proc/self/autogroup', String(AHEAD))
  })
}

/** Lets a process that was started here to look after jobs come before them as this one does. */
export function sharePrecedence(pid: number): void {
  attempt(() => {
    if (getPriority() === AHEAD) putAhead(pid)
  })
}

function ownStat(): readonly string[] {
  const stat = readFileSync('/proc/self/stat', 'latin1')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function putAhead(pid: number): void {
  // By `chrt` of util-linux, since a nice value is inherited otherwise.
  const options = ['--reset-on-fork', '--other', '--pid', '0', String(pid)]
  if (spawnSync(systemTool('chrt'), options, { stdio: 'ignore' }).status === 0) setPriority(pid, AHEAD)
}

function attempt(take: () => void): void {
  try {
    take()
  } catch {
    // An ordinary user, or a system without it: then it waits for its turn as all others do.
  }
}
