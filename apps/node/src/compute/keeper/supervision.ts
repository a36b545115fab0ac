import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { setTimeout as setTimeoutPromise } from 'node:timers/promises'
import type { OutcomeReason } from '../engine/engine.ts'
import type { Census, Lookout } from './census.ts'
import { DiskUse } from './disk-use.ts'
import { type ExitRecord, writeExitRecord, writeWhole } from './exit-record.ts'
import { Footprint } from './footprint.ts'
import type { LogPipes } from './log-pipes.ts'
import { LogSink } from './log-sink.ts'
import { MARKER_VARIABLE, markerOf } from './marker.ts'
import { memoryUse, type ProcessEntry, readProcess } from './process-table.ts'
import type { Launch, ProgramReport } from './protocol.ts'
import { sendSignal, sweep } from './sweep.ts'
import { jobProcessFile, logFile } from './work-files.ts'

const LOOK_MS = 100
const SWEEP_MS = 10_000
const DRAIN_MS = 2_000
const REPORT_BYTES = 64 * 1024
/** The longest delay that a timer of Node takes. */
const TIMER_MS = 2 ** 31 - 1

interface Cause {
  readonly reason: OutcomeReason
  readonly message: string
}

type Ending = Pick<ExitRecord, 'reason' | 'exitCode' | 'signal' | 'errorMessage'>

/** What all runs of a keeper share. */
export interface KeeperTools {
  readonly lookout: Lookout
  readonly pipes: LogPipes
}

/** Looks after one run inside the keeper: starts it, bounds it, ends it, and records its end. */
export class Supervision {
  readonly #launch: Launch
  readonly #tools: KeeperTools
  readonly #marker: string
  readonly #footprint: Footprint
  readonly #stdout: LogSink
  readonly #stderr: LogSink
  readonly #onDone: (record: ExitRecord | undefined) => void
  readonly #diskUse: DiskUse
  readonly #timers: NodeJS.Timeout[] = []
  #child: ChildProcess | undefined
  #startedAtMs: number | null = null
  #cause: Cause | undefined
  #report = ''
  /** Settles when the program can say no more: its exit may be seen before its last words. */
  #reportEnded: Promise<unknown> = Promise.resolve()
  #finishing = false
  #census: Census | undefined

  /** Calls `onDone` once, when nothing of the run is left; without a record it never began. Throws where its log cannot be opened. */
  constructor(launch: Launch, tools: KeeperTools, onDone: (record: ExitRecord | undefined) => void) {
    this.#launch = launch
    this.#tools = tools
    this.#onDone = onDone
    this.#diskUse = new DiskUse(launch.cwd)
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
    const launch = this.#launch
    const { pipes } = this.#tools
    const [out, err] = launch.namedLogs ? [pipes.take(), pipes.take()] : []
    const child = this.#spawn(['ignore', out?.childEnd ?? 'pipe', err?.childEnd ?? 'pipe'])
    if (out !== undefined) closeSync(out.childEnd)
    if (err !== undefined) closeSync(err.childEnd)
    if (child === undefined) return
    this.#child = child
    child.once('error', (error) => {
      if (child.pid === undefined) this.#failStart(error)
    })
    child.once('exit', (code, signal) => void this.#finish(this.#ending(code, signal)))
    if (child.pid === undefined) return
    this.#drain(this.#stdout, out?.stream ?? child.stdout)
    this.#drain(this.#stderr, err?.stream ?? child.stderr)
    if (launch.reports) this.#listen(child.stdio[3] as Readable)
    this.#footprint.add(child.pid)
    this.#startedAtMs = Date.now()
    this.#noteJob(child.pid)
    this.#timers.push(setInterval(() => this.#look(), LOOK_MS))
    if (launch.timeMs !== null) this.#limitTime(launch.timeMs, launch.timeMs)
  }

  #noteJob(pid: number): void {
    try {
      writeWhole(jobProcessFile(this.#launch.workDir), `${JSON.stringify(readProcess(pid) ?? null)}\n`)
    } catch {
      // A full disk: the note only helps a recovery, which has the marks of the processes as well.
    }
  }

  #spawn(streams: ('ignore' | 'pipe' | number)[]): ChildProcess | undefined {
    const { command, args, cwd, reports } = this.#launch
    const stdio: StdioOptions = reports ? [...streams, 'pipe'] : streams
    const env = { ...this.#launch.env, [MARKER_VARIABLE]: this.#marker }
    try {
      return spawn(command, args, { cwd, env, detached: true, stdio })
    } catch (error) {
      // Thrown, not emitted, for what no program can be given: a NUL character in its environment.
      this.#failStart(error)
      return undefined
    }
  }

  /** Ends the job politely: SIGTERM to all its processes, SIGKILL after the grace period. */
  cancel(): void {
    this.#stop({ reason: 'cancelled', message: 'it was cancelled' }, this.#launch.graceMs)
  }

  /** Ends the job at once, because nobody is left to answer for it; one that has not begun leaves nothing. */
  orphan(): void {
    if (this.#child === undefined) return void this.#giveUp()
    this.#stop({ reason: 'node-gone', message: 'the node that ran it ended' }, 0)
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
    this.#timers.push(setTimeout(() => this.kill(), graceMs))
  }

  /** Kills the job's processes as far as they are known, without waiting. */
  kill(): void {
    const pid = this.#child?.pid
    if (pid === undefined || this.#finishing) return
    sendSignal(-pid, 'SIGKILL')
    for (const entry of this.#footprint.refresh()) sendSignal(entry.pid, 'SIGKILL')
  }

  #look(): void {
    const census = this.#tools.lookout.recent()
    if (census !== this.#census) this.#footprint.find(census)
    this.#census = census
    const live = this.#footprint.refresh()
    const { maxProcesses, memoryBytes, outputBytes } = this.#launch
    if (live.length > maxProcesses) {
      this.#stop({ reason: 'killed', message: `it had more than ${maxProcesses} processes at a time` }, 0)
    } else if (memoryBytes !== null && this.#memory(live) > memoryBytes) {
      this.#stop(
        { reason: 'memory', message: `it used more memory than its limit of ${memoryBytes} bytes` },
        0,
      )
    } else if ((this.#diskUse.look() ?? 0) > outputBytes) {
      this.#stop({ reason: 'killed', message: `it wrote more than its limit of ${outputBytes} bytes` }, 0)
    }
  }

  #memory(live: readonly ProcessEntry[]): number {
    const uses = live.map((entry) => memoryUse(entry.pid))
    // Shared pages appear in each process that maps them; the largest share stands for all.
    return (
      uses.reduce((sum, use) => sum + use.anonymousBytes, 0) +
      uses.reduce((most, use) => Math.max(most, use.sharedBytes), 0)
    )
  }

  #limitTime(leftMs: number, limitMs: number): void {
    const message = `it ran longer than its limit of ${limitMs} ms`
    const stop = (): void => {
      if (leftMs > TIMER_MS) this.#limitTime(leftMs - TIMER_MS, limitMs)
      else this.#stop({ reason: 'timeout', message }, this.#launch.graceMs)
    }
    this.#timers.push(setTimeout(stop, Math.min(leftMs, TIMER_MS)))
  }

  #drain(sink: LogSink, stream: Readable | null): void {
    if (stream !== null) sink.drain(stream)
  }

  #listen(stream: Readable): void {
    stream.setEncoding('utf8').on('data', (text: string) => {
      if (this.#report.length < REPORT_BYTES) this.#report += text
    })
    stream.on('error', () => undefined)
    this.#reportEnded = new Promise((resolve) => stream.once('close', resolve))
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
    if (signal === null) return { reason: 'exited', exitCode, signal, errorMessage: null }
    const why =
      signal === 'SIGXFSZ' ? 'it wrote a file longer than its limit' : `it was ended by the signal ${signal}`
    return { reason: 'killed', exitCode, signal, errorMessage: why }
  }

  #reported(ending: Ending): Ending {
    if (this.#cause !== undefined || this.#report === '') return ending
    try {
      return { ...ending, ...(JSON.parse(this.#report) as ProgramReport) }
    } catch {
      return ending
    }
  }

  async #finish(ending: Ending): Promise<void> {
    if (this.#finishing) return
    this.#finishing = true
    for (const timer of this.#timers) clearTimeout(timer)
    const { left } = await sweep(this.#footprint, this.#tools.lookout, SWEEP_MS)
    const patience = setTimeoutPromise(DRAIN_MS, undefined, { ref: false })
    await Promise.all([
      this.#stdout.close(DRAIN_MS),
      this.#stderr.close(DRAIN_MS),
      Promise.race([this.#reportEnded, patience]),
    ])
    const final = this.#reported(ending)
    const { executionId, attempt, workDir } = this.#launch
    const record: ExitRecord = {
      executionId,
      attempt,
      ...final,
      errorMessage:
        left.length === 0
          ? final.errorMessage
          : `processes that cannot be killed are left: ${left.join(', ')}`,
      stdoutCapped: this.#stdout.capped,
      stderrCapped: this.#stderr.capped,
      startedAtMs: this.#startedAtMs,
      endedAtMs: Date.now(),
    }
    try {
      writeExitRecord(workDir, record)
    } catch {
      // A full disk: the node is told all the same, and without a record recovery counts the run as interrupted.
    }
    this.#onDone(record)
  }
}
