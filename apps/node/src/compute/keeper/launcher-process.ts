import { type ChildProcess, spawn } from 'node:child_process'
import { constants as files, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { getSystemErrorName } from 'node:util'
import { AnswerWatch } from './answer-watch.ts'
import type { Cgroup } from './cgroup.ts'
import { type Confinement, systemTool } from './confinement.ts'
import type { FirstProcess, ProcessEnd, Start } from './first-process.ts'
import { isGone } from './group-file.ts'
import type { PidNamespace } from './pid-namespace.ts'
import { sharePrecedence } from './precedence.ts'
import { PATIENCE } from './silence.ts'
import { stopWatch } from './stop-watch.ts'

/** Shipped as it is written, so that it lies there for the built program, too. */
const PROGRAM = fileURLToPath(new URL('../../../src/compute/keeper/launcher.pl', import.meta.url))

const LENGTH_BYTES = 4
/** Five numbers: what became of it, of which order, and what that kind of answer says. */
const ANSWER_NUMBERS = 5
const ANSWER_BYTES = ANSWER_NUMBERS * LENGTH_BYTES
const HERE = 0
const STARTED = 1
const FAILED = 2

/** The lowest seven bits of what wait(2) says: the signal that ended it. */
const SIGNAL_BITS = 0x7f
const CODE_SHIFT = 8
const FIRST_REAL_TIME = 34

/** What is to be started, and where. */
export interface LaunchOrder extends Start {
  readonly limits: Confinement
  readonly namespace: Pick<PidNamespace, 'initPid' | 'hasUserNamespace'>
  /** What it is born in beside the namespace. */
  readonly group: Cgroup | undefined
  readonly directory: string
}

/** Thrown where the process that starts programs ended before it said what became of one. */
export class LauncherLost extends Error {
  override readonly name: string = 'LauncherLost'
}

/** Tells whether a thrown value is a {@link LauncherLost}. */
export function isLauncherLost(error: unknown): error is LauncherLost {
  return error instanceof Error && error.name === 'LauncherLost'
}

interface Pending {
  readonly started: (pid: number, stdout: number, stderr: number) => void
  readonly failed: (error: Error) => void
  readonly ended: (end: ProcessEnd) => void
}

/** One process that starts programs, from its start to its end (`launcher.pl`). Its programs do not outlive it. */
export class LauncherProcess {
  readonly #child: ChildProcess
  readonly #pending = new Map<number, Pending>()
  #count = 0
  #rest: Buffer = Buffer.alloc(0)
  #gone = false

  constructor(env: Readonly<Record<string, string>>) {
    // Without what a site may have Perl do at each start.
    const args = ['-f', PROGRAM, String(process.pid), process.arch]
    const child = spawn(systemTool('perl'), args, { cwd: '/', env, stdio: ['pipe', 'pipe', 'ignore'] })
    this.#child = child
    for (const pipe of [child.stdin, child.stdout]) pipe?.on('error', () => undefined)
    child.stdout?.on('data', (bytes: Buffer) => this.#hear(bytes))
    child.once('exit', () => {
      this.#gone = true
    })
    // When its last words are read, too.
    const ask = (): void => void child.stdin?.write(frameOf(['ask']))
    void new AnswerWatch(child, ask, PATIENCE).ended.then(() => this.#end())
    if (child.pid === undefined) return
    stopWatch.watch(child)
    sharePrecedence(child.pid)
  }

  /** True when it starts nothing any more. */
  get gone(): boolean {
    return this.#gone
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  start(order: LaunchOrder): Promise<FirstProcess> {
    this.#count += 1
    const number = this.#count
    return new Promise((resolve, reject) => {
      const message = frameOf(['start', ...fieldsOf(number, order)])
      const ended = new Promise<ProcessEnd>((end, fail) => {
        const failed = (error: Error): void => {
          reject(error)
          fail(error)
        }
        const started = (pid: number, out: number, err: number): void => {
          const [stdout, stderr] = this.#streamsFrom([out, err], failed)
          if (stdout !== undefined && stderr !== undefined) resolve({ pid, ended, stdout, stderr })
        }
        this.#pending.set(number, { started, failed, ended: end })
      })
      // Nobody waits for it where nothing was started.
      ended.catch(() => undefined)
      this.#child.stdin?.write(message)
    })
  }

  #hear(bytes: Buffer): void {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    let at = 0
    for (; at + ANSWER_BYTES <= all.length; at += ANSWER_BYTES) {
      const numberAt = (index: number): number => all.readUInt32BE(at + index * LENGTH_BYTES)
      this.#answer(numberAt(0), numberAt(1), [numberAt(2), numberAt(3), numberAt(4)])
    }
    this.#rest = all.subarray(at)
  }

  #answer(kind: number, number: number, [value, stdout, stderr]: readonly [number, number, number]): void {
    if (kind === HERE) return
    const pending = this.#pending.get(number)
    if (kind === STARTED) {
      pending?.started(value, stdout, stderr)
      this.#child.stdin?.write(frameOf(['opened', stdout, stderr]))
      return
    }
    this.#pending.delete(number)
    if (kind === FAILED) pending?.failed(new Error(`spawn ${getSystemErrorName(-value)}`))
    else pending?.ended(endOf(value))
  }

  /** Takes over the ends of pipes that a job writes to, which it may also open by the name `/dev/stdout`. */
  #streamsFrom(ends: readonly number[], failed: (error: Error) => void): readonly Socket[] {
    const streams: Socket[] = []
    // Its number may be another's by now; its end says the rest.
    if (this.#gone) return streams
    try {
      for (const end of ends) {
        const fd = openSync(`/proc/${this.#child.pid}/fd/${end}`, files.O_RDONLY | files.O_NONBLOCK)
        streams.push(new Socket({ fd, readable: true, writable: false }))
      }
      return streams
    } catch (error) {
      for (const stream of streams) stream.destroy()
      // Where it is gone, its end says so; else no descriptors are left.
      if (!isGone(error)) failed(error instanceof Error ? error : new Error(String(error)))
      return []
    }
  }

  #end(): void {
    this.#gone = true
    for (const { failed } of this.#pending.values())
      failed(new LauncherLost('what starts programs was ended'))
    this.#pending.clear()
  }
}

/** What `launcher.pl` is told of an order, as it takes it. */
function fieldsOf(number: number, order: LaunchOrder): readonly (string | number)[] {
  const { command, args, env, namespace, group, directory, limits } = order
  const line = [command, ...args]
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  // The system would take what comes before it for all.
  if (line.some(hasNul)) throw new Error('its arguments hold a NUL character')
  const bad = variables.find(hasNul)
  if (bad !== undefined) throw new Error(`the variable ${bad.split('=')[0]} holds a NUL character`)
  return [
    ...[number, namespace.initPid, namespace.hasUserNamespace ? 1 : '', group?.path ?? '', directory],
    ...[limits.fileBytes, limits.dataBytes ?? '', limits.tasks ?? '', line.length],
    ...line,
    ...variables,
  ]
}

/** Fields with the length of each before it, and that of all before them. */
function frameOf(fields: readonly (string | number)[]): Buffer {
  const texts = fields.map(String)
  const lengths = texts.map((text) => Buffer.byteLength(text))
  const frame = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + LENGTH_BYTES + length, LENGTH_BYTES))
  let at = frame.writeUInt32BE(frame.length - LENGTH_BYTES)
  for (const [index, text] of texts.entries()) {
    at = frame.writeUInt32BE(lengths[index] ?? 0, at)
    at += frame.write(text, at)
  }
  return frame
}

function hasNul(text: string): boolean {
  return text.includes('\0')
}

/** What wait(2) says of an end. */
function endOf(status: number): ProcessEnd {
  const signal = status & SIGNAL_BITS
  return signal === 0
    ? { exitCode: status >> CODE_SHIFT, signal: null }
    : { exitCode: null, signal: nameOf(signal) }
}

function nameOf(signal: number): string {
  const named = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0]
  // Those of real time have no names of their own.
  return named ?? `SIGRTMIN+${signal - FIRST_REAL_TIME}`
}
