import { spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import type { Readable } from 'node:stream'
import type { CommandLine } from './confinement.ts'
import type { LogPipe, LogPipes } from './log-pipes.ts'

/** How a program is started. */
export interface Start extends CommandLine {
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
}

/** How a process ended. */
export interface ProcessEnd {
  readonly exitCode: number | null
  readonly signal: string | null
}

/** The first process of a job. */
export interface FirstProcess {
  readonly pid: number
  /** Resolves when it has ended; rejects where it did not become its program, or what started it was lost. */
  readonly ended: Promise<ProcessEnd>
  /** What it writes. */
  readonly stdout: Readable | null
  readonly stderr: Readable | null
}

/** Where a program is started, and what pipes it is given. */
export interface StartPlace {
  readonly directory: string
  readonly pipes: LogPipes
  /** The directory of the run, for what has a name while pipes are made. */
  readonly workDir: string
}

/** Starts a program in a session of its own, before it returns; rejects, or throws, where it cannot be started. */
export function spawnProgram(start: Start, { directory, pipes, workDir }: StartPlace): Promise<FirstProcess> {
  const [out, err] = [pipes.take(workDir), pipes.take(workDir)]
  try {
    return spawnWriting(start, directory, out, err)
  } catch (error) {
    for (const pipe of [out, err]) pipe?.stream.destroy()
    throw error
  } finally {
    for (const pipe of [out, err]) if (pipe !== undefined) closeSync(pipe.childEnd)
  }
}

function spawnWriting(
  { command, args, env }: Start,
  directory: string,
  out: LogPipe | undefined,
  err: LogPipe | undefined,
): Promise<FirstProcess> {
  const child = spawn(command, args, {
    cwd: directory,
    env,
    detached: true,
    stdio: ['ignore', out?.childEnd ?? 'pipe', err?.childEnd ?? 'pipe'],
  })
  const { pid } = child
  const [stdout, stderr] = [out?.stream ?? child.stdout, err?.stream ?? child.stderr]
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      if (pid === undefined) for (const stream of [stdout, stderr]) stream?.destroy()
      reject(error)
    })
    if (pid === undefined) return
    const ended = new Promise<ProcessEnd>((end) => {
      child.once('exit', (exitCode, signal) => end({ exitCode, signal }))
    })
    resolve({ pid, ended, stdout, stderr })
  })
}
