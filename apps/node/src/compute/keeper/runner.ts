import { type ChildProcess, spawn } from 'node:child_process'
import type { FromRunner, GuestReport, GuestRequest, ToRunner } from '../guest/guest-request.ts'
import { childProgram } from './child-program.ts'
import { confine } from './confinement.ts'
import { type JobUse, useOf } from './job-use.ts'
import type { Kept } from './kept-pool.ts'
import { Messages } from './protocol.ts'
import { unexpectedEnding } from './run-ending.ts'
import { type Patience, Silence } from './silence.ts'
import { stopWatch } from './stop-watch.ts'

/** How a guest ended for its runner. */
export type GuestEnd =
  | { readonly kind: 'ended'; readonly report: GuestReport }
  /** The process is gone, and the guest with it. */
  | { readonly kind: 'gone'; readonly exitCode: number | null; readonly signal: string | null }

/** What whoever hands a guest over wants to hear. */
export interface GuestListener {
  readonly begun: () => void
  readonly ended: (end: GuestEnd) => void
}

/** Options of {@link Runner}. */
export interface RunnerOptions {
  /** All that its process sees of an environment; marks it for a later start that finds its keeper dead. */
  readonly env: Readonly<Record<string, string>>
  /** For its process to begin with a guest; from then on only the bounds of that guest count. */
  readonly patience: Patience
  /** Hears when it waits for a guest again, and when it takes none any more. */
  readonly onIdle: () => void
  readonly onGone: () => void
}

/** One process in which guests run, one at a time. */
export class Runner implements Kept {
  /** The longest file that its guests may write, in bytes. */
  readonly form: number
  /** Resolves when it takes guests; rejects where it ends before. */
  readonly ready: Promise<void>
  sharing: string | null | undefined
  idleSinceMs: number = performance.now()
  readonly #child: ChildProcess
  readonly #onGone: () => void
  readonly #patience: Patience
  #beginning: NodeJS.Timeout | undefined
  #tellReady: (problem?: Error) => void = () => undefined
  #guest: GuestListener | undefined
  #gone = false

  /** Starts a process. */
  constructor(fileBytes: number, { env, patience, onIdle, onGone }: RunnerOptions) {
    this.form = fileBytes
    this.#onGone = onGone
    this.#patience = patience
    const program = childProgram(import.meta.url, '../guest/runner-main')
    const line = confine(
      { command: process.execPath, args: ['--no-warnings', program] },
      { fileBytes, dataBytes: null, tasks: null },
    )
    const child = spawn(line.command, line.args, {
      cwd: '/',
      env,
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    this.#child = child
    // A guest could wait for ever in one that somebody stopped, also ahead of its time limit.
    stopWatch.watch(child)
    for (const pipe of [child.stdin, child.stdout]) pipe?.on('error', () => undefined)
    const messages = new Messages<FromRunner>()
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      for (const message of messages.take(text)) this.#hear(message, onIdle)
    })
    // When its last words are read, too.
    child.once('close', (code, signal) => this.#end(code, signal))
    child.once('error', () => this.#end(null, null))
    this.ready = new Promise((resolve, reject) => {
      this.#tellReady = (problem) => (problem === undefined ? resolve() : reject(problem))
    })
    this.#expectAnswer()
  }

  get gone(): boolean {
    return this.#gone
  }

  /** Hands a guest over. */
  run(request: GuestRequest, listener: GuestListener): void {
    this.#guest = listener
    this.#expectAnswer()
    const message: ToRunner = request
    this.#child.stdin?.write(`${JSON.stringify(message)}\n`)
  }

  /** What its process takes. */
  use(): JobUse {
    return useOf([this.#child.pid ?? 0])
  }

  /** Lets an idle one end. */
  close(): void {
    this.#child.stdin?.end()
  }

  /** Ends it with its guest. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #expectAnswer(): void {
    const silence = new Silence(this.#child.pid ?? 0, this.#patience)
    this.#beginning = setInterval(() => {
      if (silence.look() >= this.#patience.silenceMs) this.kill()
    }, this.#patience.lookMs)
  }

  #hear(message: FromRunner, onIdle: () => void): void {
    clearInterval(this.#beginning)
    if (message.kind === 'here') {
      this.#tellReady()
      return
    }
    if (message.kind === 'begun') {
      this.#guest?.begun()
      return
    }
    const guest = this.#guest
    this.#guest = undefined
    if (message.clean && this.sharing !== null) onIdle()
    else this.#retire()
    guest?.ended({ kind: 'ended', report: message.report })
  }

  #retire(): void {
    this.#gone = true
    this.close()
    this.#onGone()
  }

  #end(exitCode: number | null, signal: string | null): void {
    clearInterval(this.#beginning)
    const guest = this.#guest
    this.#guest = undefined
    if (!this.#gone) {
      this.#gone = true
      this.#onGone()
    }
    this.#tellReady(new Error(unexpectedEnding(exitCode, signal).errorMessage ?? ''))
    guest?.ended({ kind: 'gone', exitCode, signal })
  }
}
