import { spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { CommandLine } from './confinement.ts'

/** How a program is started. */
export interface Start extends CommandLine {
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>
}

/** Where a program writes: the ends of two pipes, or undefined where it is to get something else. */
export interface ChildStreams {
  readonly stdout: number | undefined
  readonly stderr: number | undefined
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
  /** What it writes where no pipe was given. */
  readonly stdout: Readable | null
  readonly stderr: Readable | null
}

/** Starts a program in a session of its own, before it returns; rejects, or throws, where it cannot be started. */
export function spawnProgram(
  { command, args, env }: Start,
  directory: string,
  { stdout, stderr }: ChildStreams,
): Promise<FirstProcess> {
  const child = spawn(command, args, {
    cwd: directory,
    env,
    detached: true,
    stdio: ['ignore', stdout ?? 'pipe', stderr ?? 'pipe'],
  })
  const { pid } = child
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    if (pid === undefined) return
    const ended = new Promise<ProcessEnd>((end) => {
      child.once('exit', (exitCode, signal) => end({ exitCode, signal }))
    })
    resolve({ pid, ended, stdout: child.stdout, stderr: child.stderr })
  })
}
