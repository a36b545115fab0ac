import { setTimeout as delay } from 'node:timers/promises'
import type { Lookout } from './census.ts'
import type { Footprint } from './footprint.ts'
import type { ProcessEntry } from './process-table.ts'

/** What a sweep did. */
export interface SweepResult {
  /** How many processes were killed. */
  readonly killed: number
  /** Pids that still lived at the deadline: in an uninterruptible wait, or another user's. */
  readonly left: readonly number[]
}

const CALM_LOOKS = 2
const PAUSE_MS = 100

/** Sends a signal to a process (or, with a negative number, a group); a process that is gone is no error. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // ESRCH: gone already. EPERM: another user's; the sweep reports it as left.
  }
}

/** Asks a process to end, also one that is stopped: it takes no signal but SIGKILL before it goes on. */
export function terminate(pid: number): void {
  sendSignal(pid, 'SIGTERM')
  sendSignal(pid, 'SIGCONT')
}

/**
 * Kills every process of a footprint and waits until none is seen in two looks in a row, so that a process
 * born between a look and its kill is caught as well.
 */
export async function sweep(
  footprint: Footprint,
  lookout: Lookout,
  deadlineMs: number,
): Promise<SweepResult> {
  const killed = new Set<string>()
  const endAt = performance.now() + deadlineMs
  let calm = 0
  let found: ProcessEntry[] = []
  while (calm < CALM_LOOKS) {
    try {
      found = footprint.find(await lookout.next())
    } catch (error) {
      // Without descriptors nothing can be seen, and nothing may be taken for dead.
      if (performance.now() > endAt) throw error
      await delay(PAUSE_MS)
      continue
    }
    if (found.length > 0 && performance.now() > endAt) break
    for (const entry of found) {
      sendSignal(entry.pid, 'SIGKILL')
      killed.add(`${entry.pid}/${entry.startTime}`)
    }
    calm = found.length === 0 ? calm + 1 : 0
  }
  return { killed: killed.size, left: found.map((entry) => entry.pid) }
}
