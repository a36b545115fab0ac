import { setTimeout as delay } from 'node:timers/promises'
import { Lookout } from './census.ts'
import { Footprint } from './footprint.ts'
import { endGroupsOf } from './keeper-group.ts'
import {
  dataDirOf,
  KEEPER_VARIABLE,
  keeperMarkerOf,
  marksExecution,
  runnerMarkerOf,
  SUPERVISOR_VARIABLE,
} from './marker.ts'
import {
  bootId,
  environmentValue,
  isLive,
  isReadable,
  type ProcessEntry,
  readProcess,
} from './process-table.ts'
import type { RunningProcess } from './running-process.ts'
import { sendSignal, sweep } from './sweep.ts'
import { jobProcessFile, readNote } from './work-files.ts'

const SELF_CLEANUP_MS = 5_000
const SWEEP_MS = 10_000
const LOOK_MS = 20
const lookout = new Lookout()

/** Which run an earlier node left behind. */
export interface Leftover {
  /** What was recorded before the run began. */
  readonly process: RunningProcess
  readonly executionId: string
  readonly workDir: string
}

/** What {@link killLeftover} found. */
export interface LeftoverReport {
  /** True when what looked after the run was still alive. */
  readonly keeperAlive: boolean
  /** How many processes of the run had to be killed by this call. */
  readonly killed: number
}

/** Tells whether the very process that was recorded lives: same boot, same pid, same start. */
export function isAlive(process: RunningProcess): boolean {
  if (process.bootId !== bootId()) return false
  const entry = readProcess(process.pid)
  return entry !== undefined && isLive(entry) && entry.startTime === process.startTime
}

/**
 * A pid namespace that began anew can repeat pid and start time; the mark of the execution cannot repeat. One
 * that cannot be looked at counts as the keeper, so that nothing is taken for proven.
 */
function isKeeper(leftover: Leftover): boolean {
  const { pid } = leftover.process
  if (!isAlive(leftover.process)) return false
  const place = environmentValue(pid, KEEPER_VARIABLE)
  if (place !== undefined) return place === keeperMarkerOf(dataDirOf(leftover.workDir))
  const marker = environmentValue(pid, SUPERVISOR_VARIABLE)
  if (marker !== undefined) return marksExecution(leftover.executionId, leftover.workDir)(marker)
  return !isReadable(pid) && isAlive(leftover.process)
}

async function untilGone(leftover: Leftover, deadlineMs: number): Promise<boolean> {
  const endAt = performance.now() + deadlineMs
  while (isKeeper(leftover)) {
    if (performance.now() > endAt) return false
    await delay(LOOK_MS)
  }
  return true
}

function unkillable(executionId: string, pids: readonly number[]): Error {
  return new Error(
    `Processes of execution ${executionId} cannot be killed: ${pids.join(', ')}. End them, then restart the node.`,
  )
}

function recordedJob(workDir: string): ProcessEntry | undefined {
  try {
    return (JSON.parse(readNote(jobProcessFile(workDir))) as ProcessEntry | null) ?? undefined
  } catch {
    return undefined
  }
}

/**
 * Proves a run of an earlier node dead, before anything else is done about its execution: lets its keeper
 * clean up, then kills the keeper and every process of the job that is left. A reused pid is never
 * killed. Rejects when a process cannot be killed; then the execution must not be started again.
 */
export async function killLeftover(leftover: Leftover): Promise<LeftoverReport> {
  // Nothing outlives a restart of the machine.
  if (leftover.process.bootId !== bootId()) return { keeperAlive: false, killed: 0 }
  const keeperAlive = isKeeper(leftover)
  // First the keeper, so that nothing is started while the rest is looked for.
  if (!(await untilGone(leftover, SELF_CLEANUP_MS))) {
    sendSignal(leftover.process.pid, 'SIGKILL')
    if (!(await untilGone(leftover, SWEEP_MS))) throw unkillable(leftover.executionId, [leftover.process.pid])
  }
  const place = keeperMarkerOf(dataDirOf(leftover.workDir))
  const inGroups = await endGroupsOf({ ...leftover.process, place }, leftover.executionId)
  if (inGroups.left.length > 0) throw unkillable(leftover.executionId, inGroups.left)
  const footprint = new Footprint({
    isMarked: marksExecution(leftover.executionId, leftover.workDir),
    runner: runnerMarkerOf(leftover.process, place),
    deadKeeper: { pid: leftover.process.pid, marker: place },
    workDir: leftover.workDir,
    notBefore: leftover.process.startTime,
    exceptPid: process.pid,
  })
  const job = recordedJob(leftover.workDir)
  // The number of its group is trusted only while the recorded leader lives: otherwise it may be reused.
  if (job !== undefined && readProcess(job.pid)?.startTime === job.startTime) footprint.add(job.pid)
  const { killed, left } = await sweep(footprint, lookout, SWEEP_MS)
  if (left.length > 0) throw unkillable(leftover.executionId, left)
  return { keeperAlive, killed: inGroups.killed + killed }
}
