import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { syncDirectory } from '../files/copy-tree.ts'
import type { Lookout } from './census.ts'
import type { Cgroup } from './cgroup.ts'
import { type ExitRecord, exitRecord, keepRecord, writeWhole } from './exit-record.ts'
import { GroupedProcesses } from './grouped-processes.ts'
import type { Isolators } from './isolators.ts'
import type { JobProcesses, Start } from './job-processes.ts'
import type { JobUse } from './job-use.ts'
import type { KeptWork } from './kept-work.ts'
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
  #child: ChildProcess | undefined
  #startedAtMs: number | null = null
  #cause: Cause | undefined
  #finishing = false
  #begun = false

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

  #processesIn({ lookout, namespaces }: ProgramTools): JobProcesses {
    const { cwd, sharing, workDir } = this.#launch
    if (namespaces !== undefined) return new NamespacedProcesses(namespaces, cwd, sharing)
    if (this.#group !== undefined) return new GroupedProcesses(this.#group)
    return new TracedProcesses(lookout, this.#marker, workDir)
  }

  go(): void {
    if (this.#begun || this.#finishing) return
    this.#begun = true
    this.#enclose().then(
      (start) => {
        // Where it was ended meanwhile, what was made ready for it is given back.
        if (this.#finishing) void this.#end()
        else this.#start(start)
      },
      (error: unknown) => this.#failStart(error),
    )
  }

  async #enclose(): Promise<Start> {
    const { command, args, env, outputBytes, dataBytes } = this.#launch
    this.#group?.make()
    const limits = { fileBytes: outputBytes, dataBytes, tasks: this.#tasks }
    return await this.#processes.enclose({
      ...{ command, args, limits },
      env: { ...env, [MARKER_VARIABLE]: this.#marker },
    })
  }

  get #tasks(): number {
    return this.#launch.maxProcesses * TASKS_FOR_PROCESS
  }

  async #end(): Promise<readonly number[]> {
    const left = await this.#processes.end()
    return left.length > 0 ? left : ((await this.#group?.end()) ?? [])
  }

  #start(start: Start): void {
    const { pipes } = this.#tools
    const { workDir } = this.#launch
    const [out, err] = [pipes.take(workDir), pipes.take(workDir)]
    const child = this.#spawn(start, ['ignore', out?.childEnd ?? 'pipe', err?.childEnd ?? 'pipe'])
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
    this.#processes.begin(child.pid)
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

  #spawn({ command, args, env }: Start, streams: ('ignore' | 'pipe' | number)[]): ChildProcess | undefined {
    const { cwd, memoryBytes, cpus } = this.#launch
    const start = (): ChildProcess => spawn(command, args, { cwd, env, detached: true, stdio: streams })
    try {
      if (this.#group === undefined) return start()
      const child = this.#group.bear(start)
      this.#group.bound({ memoryBytes, tasks: this.#tasks, cpus })
      return child
    } catch (error) {
      // Thrown, not emitted, for what no program can be given: a NUL character in its environment.
      this.#failStart(error)
      return undefined
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
    if (this.#child?.pid === undefined) {
      void this.#finish(endingBy(cause, null, null))
      return
    }
    if (graceMs <= 0) {
      this.kill()
      return
    }
    this.#processes.terminate()
    this.#grace = setTimeout(() => this.kill(), graceMs)
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

  #drain(sink: LogSink, stream: Readable | null | undefined): void {
    if (stream !== null && stream !== undefined) sink.drain(stream)
  }

  #failStart(error: unknown): void {
    void this.#finish(notStarted(`${this.#launch.command} could not be started`, error))
  }

  #ending(exitCode: number | null, signal: string | null): Ending {
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
