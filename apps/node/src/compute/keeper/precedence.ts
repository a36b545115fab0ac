import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { systemTool } from './confinement.ts'

/** As a nice value: of a hundred programs that want a processor, whoever has it comes first. */
const AHEAD = -15
/** Where they stand after the name in `stat`, see proc_pid_stat(5). */
const NICE = 16
const POLICY = 38

/**
 * Lets this process come before those that it bounds, so that a job of thousands of processes cannot keep it from ending them; what it
 * starts has no part in that. Only root and whoever has `CAP_SYS_NICE` may.
 */
export function takePrecedence(): void {
  // Where an operator has chosen a value or a policy for the node, its jobs keep that.
  if (isUsual()) attempt(putAhead)
  // Where the system shares processors out by sessions, the keeper's own one counts (sched(7)).
  attempt(() => writeFileSync('/proc/self/autogroup', String(AHEAD)))
}

/** Tells whether nobody has said how this process is to be scheduled. */
function isUsual(): boolean {
  const stat = readFileSync('/proc/self/stat', 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[NICE] === '0' && fields[POLICY] === '0'
}

function putAhead(): void {
  // By `chrt` of util-linux, since a nice value is inherited otherwise.
  const options = ['--reset-on-fork', '--other', '--pid', '0', String(process.pid)]
  if (spawnSync(systemTool('chrt'), options, { stdio: 'ignore' }).status === 0) setPriority(AHEAD)
}

function attempt(take: () => void): void {
  try {
    take()
  } catch {
    // An ordinary user, or a system without it: then it waits for its turn as all others do.
  }
}
