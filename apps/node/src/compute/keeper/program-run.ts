import { dirname } from 'node:path'
import { syncDirectory } from '../files/copy-tree.ts'
import type { Lookout } from './census.ts'
import type { Cgroup } from './cgroup.ts'
import { type ExitRecord, exitRecord, keepRecord, writeWhole } from './exit-record.ts'
import type { FirstProcess, ProcessEnd } from './first-process.ts'
import { GroupedProcesses } from './grouped-processes.ts'
import type { Isolators } from './isolators.ts'
import type { JobProcesses } from './job-processes.ts'
import type { JobUse } from './job-use.ts'
import type { KeptWork } from './kept-work.ts'
import { isLauncherLost } from './launcher-process.ts'
import type { LogPipes } from './log-pipes.ts'
import { LogSink } from './log-sink.ts'
import { MARKER_VARIABLE, markerOf } from './marker.ts'
import { NamespacedProcesses } from './namespaced-processes.ts'
import { readProcess } from './process-table.ts'
import type { ProgramLaunch } from './protocol.ts'
import { RunBounds } from './run-bounds.ts'
import {
  CANCELLED,
  type Cause,
  type Ending,
  endingBy,
  endingOf,
  MACHINE_OUT_OF_MEMORY,
  memoryCause,
  NODE_GONE,
  notStarted,
} from './run-ending.ts'
import { TracedProcesses } from './traced-processes.ts'
import { jobProcessFile, logFile } from './work-files.ts'

const DRAIN_MS = 2_000
/** Programs have threads, too, and more than the processes that end a job must be possible. */
const TASKS_FOR_PROCESS = 2
/** With which the tool that brings a job into a namespace ends where it is gone. */
const START_FAILURE = 1
const LOST: Ending = {
  reason: 'killed',
  exitCode: null,
  signal: null,
  errorMessage: 'its namespace of processes was ended by somebody else',
}

const LAUNCHER_LOST: Ending = {
  reason: 'keeper-lost',
  exitCode: null,
  signal: null,
  errorMessage: 'what starts the programs of the node was killed, so the job was ended',
}

/** What all runs of programs in a keeper share. */
export interface ProgramTools extends Isolators {
  readonly lookout: Lookout
  readonly pipes: LogPipes
}

/** Looks after the run of one native program inside the keeper: starts it, bounds it, ends it, and records its end. */
export class ProgramRun implements KeptWork {
  readonly #launch: ProgramLaunch
  readonly #tools: ProgramTools
  readonly #marker: string
  readonly #group: Cgroup | undefined
  readonly #processes: JobProcesses
  readonly #stdout: LogSink
  readonly #stderr: LogSink
  readonly #onDone: (record: ExitRecord | undefined) => void
  readonly #bounds: RunBounds
  #grace: NodeJS.Timeout | undefined
  #first: FirstProcess | undefined
  #startedAtMs: number | null = null
  #cause: Cause | undefined
  #stopGraceMs = 0
  #finishing = false
  #begun = false
  /** Its program is being started, and nobody knows yet whether that succeeds. */
  #starting = false

  /** Calls `onDone` once, when nothing of the run is left; without a record it never began. */
  constructor(launch: ProgramLaunch, tools: ProgramTools, onDone: (record: ExitRecord | undefined) => void) {
    this.#launch = launch
    this.#tools = tools
    this.#onDone = onDone
    this.#bounds = new RunBounds(
      launch,
      { look: () => this.#processes.look(), excess: (use) => this.#excess(use) },
      (cause, graceMs) => this.#stop(cause, graceMs),
    )
    this.#marker = markerOf(launch.executionId, launch.attempt, launch.workDir)
    this.#group = tools.groups?.groupFor(launch.executionId)
    this.#processes = this.#processesIn(tools)
    this.#stdout = new LogSink(logFile(launch.workDir, 'stdout'), launch.logBytes)
    this.#stderr = new LogSink(logFile(launch.workDir, 'stderr'), launch.logBytes)
  }

  #processesIn({ lookout, namespaces, launcher }: ProgramTools): JobProcesses {
    const { cwd, sharing, workDir } = this.#launch
    const group = this.#group
    if (namespaces !== undefined)
      return new NamespacedProcesses({ namespaces, launcher, group }, cwd, sharing)
    if (group !== undefined) return new GroupedProcesses(group)
    return new TracedProcesses(lookout, this.#marker, workDir)
  }

  go(): void {
    if (this.#begun || this.#finishing) return
    this.#begun = true
    this.#begin().catch((error: unknown) => this.#failStart(error))
  }

  async #begin(): Promise<void> {
    this.#group?.make()
    await this.#processes.enclose()
    // Where it was ended meanwhile, what was made ready for it is given back.
    if (this.#finishing) await this.#end()
    else await this.#start()
  }

  get #tasks(): number {
    return this.#launch.maxProcesses * TASKS_FOR_PROCESS
  }

  async #end(): Promise<readonly number[]> {
    const left = await this.#processes.end()
    return left.length > 0 ? left : ((await this.#group?.end()) ?? [])
  }

  async #start(): Promise<void> {
    this.#starting = true
    let first: FirstProcess
    try {
      first = await this.#startFirst()
    } finally {
      this.#starting = false
    }
    if (first.stdout !== null) this.#stdout.drain(first.stdout)
    if (first.stderr !== null) this.#stderr.drain(first.stderr)
    this.#first = first
    first.ended.then(
      (end) => void this.#finish(this.#ending(end)),
      (error: unknown) => this.#failStart(error),
    )
    this.#startedAtMs = Date.now()
    this.#noteJob(first.pid)
    this.#bounds.start()
    if (this.#cause !== undefined) this.#carryOut()
  }

  async #startFirst(): Promise<FirstProcess> {
    const { command, args, env, outputBytes, dataBytes, memoryBytes, cpus, cwd, workDir } = this.#launch
    const limits = { fileBytes: outputBytes, dataBytes, tasks: this.#tasks }
    const program = { ...{ command, args, limits }, env: { ...env, [MARKER_VARIABLE]: this.#marker } }
    const started = this.#processes.start(program, { directory: cwd, workDir, pipes: this.#tools.pipes })
    this.#group?.bound({ memoryBytes, tasks: this.#tasks, cpus })
    return await started
  }

  #noteJob(pid: number): void {
    if (this.#processes.endWithKeeper) return
    try {
      writeWhole(jobProcessFile(this.#launch.workDir), `${JSON.stringify(readProcess(pid) ?? null)}\n`)
    } catch {
      // A full disk: the note only helps a recovery, which has the marks of the processes as well.
    }
  }

  cancel(): void {
    this.#stop(CANCELLED, this.#launch.graceMs)
  }

  orphan(): void {
    if (!this.#begun) return void this.#giveUp()
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
    this.#stopGraceMs = graceMs
    if (this.#first !== undefined) this.#carryOut()
    else if (!this.#starting) void this.#finish(endingBy(cause, null, null))
  }

  #carryOut(): void {
    if (this.#stopGraceMs <= 0) {
      this.kill()
      return
    }
    this.#processes.terminate()
    this.#grace = setTimeout(() => this.kill(), this.#stopGraceMs)
  }

  kill(): void {
    if (!this.#finishing) this.#processes.kill()
  }

  #excess(use: JobUse): Cause | undefined {
    const { maxProcesses, memoryBytes } = this.#launch
    if (use.processes > maxProcesses) {
      return { reason: 'killed', message: `it had more than ${maxProcesses} processes at a time` }
    }
    return memoryBytes !== null && use.memoryBytes > memoryBytes ? memoryCause(memoryBytes) : undefined
  }

  #failStart(error: unknown): void {
    // What a launcher had begun with may still come to be.
    if (isLauncherLost(error)) this.#processes.kill()
    void this.#finish(this.#endingOfFailure(error))
  }

  #endingOfFailure(error: unknown): Ending {
    if (this.#cause !== undefined) return endingBy(this.#cause, null, null)
    if (isLauncherLost(error)) return LAUNCHER_LOST
    this.#startedAtMs = null
    if (this.#processes.lost) return LOST
    return notStarted(`${this.#launch.command} could not be started`, error)
  }

  #ending({ exitCode, signal }: ProcessEnd): Ending {
    const cause = this.#cause ?? (exitCode === 0 ? undefined : this.#outOfMemory())
    if (cause !== undefined) return endingBy(cause, exitCode, signal)
    return exitCode === START_FAILURE && this.#processes.lost ? LOST : endingOf(exitCode, signal)
  }

  /** What the kernel may have ended it for. */
  #outOfMemory(): Cause | undefined {
    const found = this.#group?.outOfMemory
    const { memoryBytes } = this.#launch
    if (found === undefined) return undefined
    return found === 'bound' && memoryBytes !== null ? memoryCause(memoryBytes) : MACHINE_OUT_OF_MEMORY
  }

  async #finish(ending: Ending): Promise<void> {
    if (this.#finishing) return
    this.#finishing = true
    this.#bounds.end()
    clearTimeout(this.#grace)
    const left = await this.#end()
    await Promise.all([this.#stdout.close(DRAIN_MS), this.#stderr.close(DRAIN_MS)])
    const { workDir } = this.#launch
    await this.#tools.pipes.leave(workDir)
    // Logs that are on disk and have no name there are found by nobody. A disk that fails shows where the end is
    // committed.
    if (this.#stdout.written || this.#stderr.written) await nameDurably(workDir).catch(() => undefined)
    const record = exitRecord(this.#launch, {
      ...ending,
      errorMessage:
        left.length === 0
          ? ending.errorMessage
          : `processes that cannot be killed are left: ${left.join(', ')}`,
      stdoutCapped: this.#stdout.capped,
      stderrCapped: this.#stderr.capped,
      startedAtMs: this.#startedAtMs,
    })
    keepRecord(workDir, record)
    this.#onDone(record)
  }
}

async function nameDurably(workDir: string): Promise<void> {
  await syncDirectory(workDir)
  await syncDirectory(dirname(workDir))
}
