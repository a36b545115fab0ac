import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { syncDirectory } from '../files/copy-tree.ts'
import type { Census, Lookout } from './census.ts'
import { type ExitRecord, keepRecord, writeWhole } from './exit-record.ts'
import { Footprint } from './footprint.ts'
import type { LogPipes } from './log-pipes.ts'
import { LogSink } from './log-sink.ts'
import { MARKER_VARIABLE, markerOf } from './marker.ts'
import { memoryUse, type ProcessEntry, readProcess } from './process-table.ts'
import type { ProgramLaunch } from './protocol.ts'
import {
  CANCELLED,
  type Cause,
  type Ending,
  endingOf,
  type KeptWork,
  memoryCause,
  NODE_GONE,
  RunBounds,
} from './run-bounds.ts'
import { sendSignal, sweep } from './sweep.ts'
import { jobProcessFile, logFile } from './work-files.ts'

const SWEEP_MS = 10_000
const DRAIN_MS = 2_000

/** What all runs of programs in a keeper share. */
export interface ProgramTools {
  readonly lookout: Lookout
  readonly pipes: LogPipes
}

/** Looks after the run of one native program inside the keeper: starts it, bounds it, ends it, and records its end. */
export class ProgramRun implements KeptWork {
  readonly #launch: ProgramLaunch
  readonly #tools: ProgramTools
  readonly #marker: string
  readonly #footprint: Footprint
  readonly #stdout: LogSink
  readonly #stderr: LogSink
  readonly #onDone: (record: ExitRecord | undefined) => void
  readonly #bounds: RunBounds
  #grace: NodeJS.Timeout | undefined
  #child: ChildProcess | undefined
  #startedAtMs: number | null = null
  #cause: Cause | undefined
  #finishing = false
  #census: Census | undefined

  /** Calls `onDone` once, when nothing of the run is left; without a record it never began. Throws where its log cannot be opened. */
  constructor(launch: ProgramLaunch, tools: ProgramTools, onDone: (record: ExitRecord | undefined) => void) {
    this.#launch = launch
    this.#tools = tools
    this.#onDone = onDone
    this.#bounds = new RunBounds(
      launch,
      () => this.#excess(),
      (cause, graceMs) => this.#stop(cause, graceMs),
    )
    this.#marker = markerOf(launch.executionId, launch.attempt, launch.workDir)
    this.#footprint = new Footprint({
      isMarked: (value) => value === this.#marker,
      workDir: launch.workDir,
      notBefore: readProcess(process.pid)?.startTime ?? '0',
      exceptPid: process.pid,
    })
    this.#stdout = new LogSink(logFile(launch.workDir, 'stdout'), launch.logBytes)
    this.#stderr = new LogSink(logFile(launch.workDir, 'stderr'), launch.logBytes)
  }

  /** Starts the job's own code. */
  go(): void {
    if (this.#child !== undefined || this.#finishing) return
    const { pipes } = this.#tools
    const [out, err] = [pipes.take(), pipes.take()]
    const child = this.#spawn(['ignore', out?.childEnd ?? 'pipe', err?.childEnd ?? 'pipe'])
    if (out !== undefined) closeSync(out.childEnd)
    if (err !== undefined) closeSync(err.childEnd)
    this.#drain(this.#stdout, out?.stream ?? child?.stdout)
    this.#drain(this.#stderr, err?.stream ?? child?.stderr)
    if (child === undefined) return
    this.#child = child
    child.once('error', (error) => {
      if (child.pid === undefined) this.#failStart(error)
    })
    child.once('exit', (code, signal) => void this.#finish(this.#ending(code, signal)))
    if (child.pid === undefined) return
    this.#footprint.add(child.pid)
    this.#startedAtMs = Date.now()
    this.#noteJob(child.pid)
    this.#bounds.start()
  }

  #noteJob(pid: number): void {
    try {
      writeWhole(jobProcessFile(this.#launch.workDir), `${JSON.stringify(readProcess(pid) ?? null)}\n`)
    } catch {
      // A full disk: the note only helps a recovery, which has the marks of the processes as well.
    }
  }

  #spawn(streams: ('ignore' | 'pipe' | number)[]): ChildProcess | undefined {
    const { command, args, cwd } = this.#launch
    const env = { ...this.#launch.env, [MARKER_VARIABLE]: this.#marker }
    try {
      return spawn(command, args, { cwd, env, detached: true, stdio: streams })
    } catch (error) {
      // Thrown, not emitted, for what no program can be given: a NUL character in its environment.
      this.#failStart(error)
      return undefined
    }
  }

  /** Ends the job politely: SIGTERM to all its processes, SIGKILL after the grace period. */
  cancel(): void {
    this.#stop(CANCELLED, this.#launch.graceMs)
  }

  /** Ends the job at once, because nobody is left to answer for it; one that has not begun leaves nothing. */
  orphan(): void {
    if (this.#child === undefined) return void this.#giveUp()
    this.#stop(NODE_GONE, 0)
    this.kill()
  }

  async #giveUp(): Promise<void> {
    if (this.#finishing) return
    this.#finishing = true
    await Promise.all([this.#stdout.close(0), this.#stderr.close(0)])
    this.#onDone(undefined)
  }

  #stop(cause: Cause, graceMs: number): void {
    if (this.#finishing || this.#cause !== undefined) return
    this.#cause = cause
    if (this.#child?.pid === undefined) {
      void this.#finish({ reason: cause.reason, exitCode: null, signal: null, errorMessage: cause.message })
      return
    }
    if (graceMs <= 0) {
      this.kill()
      return
    }
    for (const entry of this.#footprint.refresh()) {
      sendSignal(entry.pid, 'SIGTERM')
      // A stopped process takes no signal but SIGKILL before it goes on.
      sendSignal(entry.pid, 'SIGCONT')
    }
    this.#grace = setTimeout(() => this.kill(), graceMs)
  }

  /** Kills the job's processes as far as they are known, without waiting. */
  kill(): void {
    const pid = this.#child?.pid
    if (pid === undefined || this.#finishing) return
    sendSignal(-pid, 'SIGKILL')
    for (const entry of this.#footprint.refresh()) sendSignal(entry.pid, 'SIGKILL')
  }

  #excess(): Cause | undefined {
    const census = this.#tools.lookout.recent()
    if (census !== this.#census) this.#footprint.find(census)
    this.#census = census
    const live = this.#footprint.refresh()
    const { maxProcesses, memoryBytes } = this.#launch
    if (live.length > maxProcesses) {
      return { reason: 'killed', message: `it had more than ${maxProcesses} processes at a time` }
    }
    return memoryBytes !== null && this.#memory(live) > memoryBytes ? memoryCause(memoryBytes) : undefined
  }

  #memory(live: readonly ProcessEntry[]): number {
    const uses = live.map((entry) => memoryUse(entry.pid))
    // Shared pages appear in each process that maps them; the largest share stands for all.
    return (
      uses.reduce((sum, use) => sum + use.anonymousBytes, 0) +
      uses.reduce((most, use) => Math.max(most, use.sharedBytes), 0)
    )
  }

  #drain(sink: LogSink, stream: Readable | null | undefined): void {
    if (stream !== null && stream !== undefined) sink.drain(stream)
  }

  #failStart(error: unknown): void {
    const what = error instanceof Error ? error.message : String(error)
    const errorMessage = `${this.#launch.command} could not be started: ${what}`
    void this.#finish({ reason: 'start-failed', exitCode: null, signal: null, errorMessage })
  }

  #ending(exitCode: number | null, signal: string | null): Ending {
    if (this.#cause !== undefined) {
      return { reason: this.#cause.reason, exitCode, signal, errorMessage: this.#cause.message }
    }
    return endingOf(exitCode, signal)
  }

  async #finish(ending: Ending): Promise<void> {
    if (this.#finishing) return
    this.#finishing = true
    this.#bounds.end()
    clearTimeout(this.#grace)
    const { left } = await sweep(this.#footprint, this.#tools.lookout, SWEEP_MS)
    await Promise.all([this.#stdout.close(DRAIN_MS), this.#stderr.close(DRAIN_MS)])
    const { executionId, attempt, workDir } = this.#launch
    // Logs that are on disk and have no name there are found by nobody. A disk that fails shows where the end is committed.
    if (this.#stdout.written || this.#stderr.written) await syncDirectory(workDir).catch(() => undefined)
    const record: ExitRecord = {
      executionId,
      attempt,
      ...ending,
      errorMessage:
        left.length === 0
          ? ending.errorMessage
          : `processes that cannot be killed are left: ${left.join(', ')}`,
      stdoutCapped: this.#stdout.capped,
      stderrCapped: this.#stderr.capped,
      startedAtMs: this.#startedAtMs,
      endedAtMs: Date.now(),
    }
    keepRecord(workDir, record)
    this.#onDone(record)
  }
}
