import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { plainEnvironment } from './plain-environment.ts'

/** How a command ended, and what it wrote. */
export interface SessionRun {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** What a command finds around it. */
export interface SessionOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Standard input. */
  readonly input?: string
}

interface Answer extends SessionRun {
  readonly id: number
}

const PROCESS = fileURLToPath(new URL('program-session-process.mjs', import.meta.url))

/**
 * Runs command lines of a built program one after the other in a process of its own, so that not each of them pays for
 * a start. For tests of what commands say; how the program starts and ends is for those that start it.
 */
export class ProgramSession {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (answer: Answer | Error) => void>()
  #stderr = ''
  #last = 0

  /** Takes the module of the program that exports `run(terminal, argv)`. */
  constructor(module: URL) {
    this.#child = fork(PROCESS, [module.href], {
      env: plainEnvironment(),
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    this.#child.on('message', (message: Partial<Answer>) => {
      // A command may have messages of its own for whoever started it.
      if (message.id !== undefined) this.#settle(message as Answer)
    })
    this.#child.on('exit', (code, signal) => {
      const error = new Error(`the process of the commands ended (${code ?? signal}): ${this.#stderr}`)
      for (const settle of this.#waiting.values()) settle(error)
    })
  }

  /** Runs one command line to its end. */
  async run(args: readonly string[], options: SessionOptions = {}): Promise<SessionRun> {
    this.#last += 1
    const id = this.#last
    const answer = await new Promise<Answer | Error>((resolve) => {
      this.#waiting.set(id, resolve)
      this.#child.send({ id, args, ...options })
    })
    if (answer instanceof Error) throw answer
    const { code, stdout, stderr } = answer
    return { code, stdout, stderr }
  }

  /** The process of the commands. */
  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Ends the process. */
  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.disconnect()
    await ended
  }

  #settle(answer: Answer): void {
    this.#waiting.get(answer.id)?.(answer)
    this.#waiting.delete(answer.id)
  }
}
